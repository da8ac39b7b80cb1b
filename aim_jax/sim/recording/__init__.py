"""An episode as it is recorded: contacts at every physics step, and the events and maps that follow from them."""
