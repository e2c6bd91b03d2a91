"""How fast `mobiville refresh` is and how much memory it takes, beside a bare script that does the least there is."""
