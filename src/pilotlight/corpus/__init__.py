"""From raw text to a corpus that can be trusted: ``build`` reads sources, edits, filters, deduplicates and splits.

The folders ``sources``, ``edits``, ``filters`` and ``duplicates`` are extension points: one file per implementation.
Their abstract classes are in ``source``, ``edit``, ``filter`` and ``duplicate``.
"""
