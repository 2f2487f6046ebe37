"""The product's network: colours come from references, or from what it learnt."""
