"""Numbers with their uncertainty: estimates, comparisons, verdicts, power; NumPy and SciPy only."""
