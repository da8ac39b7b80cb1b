"""Many expert episodes: seeds over workers, each with one outcome, resumed where it stopped."""
