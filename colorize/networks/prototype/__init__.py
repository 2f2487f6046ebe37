"""The paper's networks after Lei & Chen: generator, refiner, and how they run over a shot."""
