"""Pages for people, made from records only: one self-contained HTML file per pilot, with PNGs of its charts beside it."""
