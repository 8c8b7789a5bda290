"""Addresses of the OpenFeature Remote Evaluation Protocol."""

from __future__ import annotations

from django.urls import URLPattern, path

from dotplatform.flags import api

ofrep_urls: list[URLPattern] = [
    path("v1/evaluate/flags", api.every),
    path("v1/evaluate/flags/<path:key>", api.one),
]
