"""Fair, explainable, public scores from outcomes."""
