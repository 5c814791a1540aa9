"""Labelled data of one kind of machine each, by the question that its owners have."""
