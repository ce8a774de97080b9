"""What is measured of a model, and how sure it is: metrics, their intervals, calibration, splits and power. Pure."""
