"""What of a part's life is used up, by the wear model of a standard, and how long the rest lasts. No I/O."""
