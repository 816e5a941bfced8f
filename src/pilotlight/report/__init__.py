"""Pages for people, made from records alone: one self-contained HTML file per pilot, and PNGs of its charts."""
