"""Who may be chosen: candidates, their prices, the catalogue, and who is eligible for a request."""
