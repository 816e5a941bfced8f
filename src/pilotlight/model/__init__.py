"""Language models: settings without torch, layers that ``build()`` imports, sizes, weights and sampling."""
