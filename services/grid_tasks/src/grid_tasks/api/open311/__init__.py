"""Open311 GeoReport v2 (https://wiki.open311.org/GeoReport_v2/): cases as service requests, for apps that
speak it already.

Sections that are named here are those of that page, and of https://wiki.open311.org/Service_Discovery/.
"""
