"""Vertical packs: one file per class of machine, found by :func:`fleet.catalog.packs`."""
