"""How fast `mobiville refresh` is and how much memory it takes, beside bare scripts that do the least there is."""
