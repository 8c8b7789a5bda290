"""What is stored of a user agent: fewer words than people read, and the same from release to release."""

from __future__ import annotations

import pytest

from metrics.reduction import agent_of

WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "stored"),
    [
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) {WEBKIT} Version/19.0 Mobile/15E148 Safari/604.1",
         ("Safari", "iOS", "mobile")),
        (f"Mozilla/5.0 (iPod touch; CPU iPhone OS 12_0 like Mac OS X) {WEBKIT} CriOS/100.0 Mobile/15E148 Safari/604.1",
         ("Chrome", "iOS", "mobile")),
        (f"Mozilla/5.0 (iPad; CPU OS 19_0 like Mac OS X) {WEBKIT} Version/19.0 Mobile/15E148 Safari/604.1",
         ("Safari", "iOS", "tablet")),
        (f"Mozilla/5.0 (Linux; Android 15) {WEBKIT} Version/4.0 Chrome/140.0.0.0 Mobile Safari/537.36 KAKAOTALK/25.1",
         ("KakaoTalk", "Android", "mobile")),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/19.0 Safari/605.1.15",
         ("Safari", "macOS", "desktop")),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0",
         ("Edge", "Windows", "desktop")),
        ("Mozilla/5.0 (X11; FreeBSD amd64; rv:145.0) Gecko/20100101 Firefox/145.0", ("Firefox", "Linux", "desktop")),
        ("curl/8.9.1", ("other", "other", "other")),
        ("", ("other", "other", "other")),
    ],
)  # fmt: skip
def test_a_user_agent_becomes_the_words_it_always_was(user_agent: str, stored: tuple[str, str, str]) -> None:
    assert agent_of(user_agent) == stored
