"""Ways to choose documents."""
