"""Load: simulated users (Locust), the runner that measures, the statistics that judge, and the checks."""
