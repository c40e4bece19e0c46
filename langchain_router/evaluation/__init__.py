"""How good is it, measured on recorded answers; nothing here calls a model."""
