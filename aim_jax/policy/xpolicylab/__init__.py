"""A policy folder for XPolicyLab, RoboTwin's evaluation path: a thin client of `aim serve`."""
