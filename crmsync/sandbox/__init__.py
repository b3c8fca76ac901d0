"""A Dynamics 365 Sales environment to run against: Dataverse Web API, sign-in service and faults.

Plain Python. It imports nothing of the rest of the project and nothing imports it, so that it can
judge the product instead of agreeing with it.
"""
