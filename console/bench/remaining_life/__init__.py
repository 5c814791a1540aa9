"""How well remaining life is foretold on public run-to-failure data, by the published protocols."""
