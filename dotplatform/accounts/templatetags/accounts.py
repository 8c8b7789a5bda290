"""Filters of the account pages."""

from __future__ import annotations

from django import template

from dotplatform.accounts.browsers import describe_browser

register = template.Library()
register.filter("browser", describe_browser)
