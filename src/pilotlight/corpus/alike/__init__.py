"""Which texts are alike: words as hashes, sequences of words, sketches of them, and what is compared with what."""
