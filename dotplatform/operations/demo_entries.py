"""Plausible entries for the sample apps, dated around today. Their shapes are told at the head of each app's app.js."""

from __future__ import annotations

import json
import random
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

Entries = dict[str, dict[str, Any]]  # app → key → value
SEOUL = ZoneInfo("Asia/Seoul")


def alices_entries(now: datetime) -> Entries:
    """Notes, habits, tasks and the timer, in English."""
    return {
        "notes": _notes(
            now,
            [
                "Offsite ideas\n\n- a boat on the Han river\n- cooking class\n- no slides\n\nAsk everybody by Friday",
                "Standup\n\nDone: export of the stock list\nNext: labels for the shelf app\nStuck: nothing",
                "Books people recommended\n\nA Philosophy of Software Design\nThe Left Hand of Darkness\n채식주의자",
            ],
        ),
        "habits": _habits(now, {"Walk 30 minutes": 0.8, "Read before sleep": 0.55}),
        "timer": {f"days/{now.astimezone(SEOUL).date()}": {"rounds": 3, "minutes": 75}},
        "tasks": _tasks(["Book the boat", "Send October's invoice", "Water the plants"], done=["Order coffee"]),
        "converter": {},
    }


def bobs_entries(now: datetime) -> Entries:
    """Notes and tasks, in Korean."""
    return {
        "notes": _notes(
            now,
            [
                "점심 후보\n\n1. 길 건너 칼국수\n2. 새로 생긴 쌀국수집\n3. 도시락\n\n금요일에 투표하기",
                "회고 11월\n\n좋았던 점: 배포가 지루해졌다\n아쉬운 점: 회의가 너무 많다",
            ],
        ),
        "tasks": _tasks(["창고 재고 세기", "새 모니터 신청"], done=["연차 내기"]),
    }


def _notes(now: datetime, texts: list[str]) -> dict[str, Any]:
    edited = [(now - timedelta(hours=1 + 21 * index)).isoformat().replace("+00:00", "Z") for index in range(len(texts))]
    return {
        f"notes/demo{index}": {"text": text, "created": moment, "edited": moment, "pinned": False}
        for index, (text, moment) in enumerate(zip(texts, edited, strict=True))
    }


def _habits(now: datetime, chances: dict[str, float]) -> dict[str, Any]:
    """Habits kept on a day of this year with the chance given, every day of the last week."""
    dice = random.Random(7)  # noqa: S311  (the same year every time)
    today = now.astimezone(SEOUL).date()
    entries: dict[str, Any] = {}
    for index, (name, chance) in enumerate(chances.items()):
        entries[f"habits/demo{index}"] = {"name": name, "created": f"{today.year}-01-01T00:00:0{index}.000Z"}
        day = date(today.year, 1, 1)
        while day < today:
            if dice.random() < chance or today - day < timedelta(days=7 - 3 * index):
                entries.setdefault(f"days/demo{index}/{day:%Y-%m}", []).append(day.day)
            day += timedelta(days=1)
    return entries


def _tasks(open_tasks: list[str], done: list[str]) -> dict[str, Any]:
    """Tasks keeps JSON text in localStorage, which is a string here too."""
    tasks = [(text, False) for text in open_tasks] + [(text, True) for text in done]
    return {
        f"localStorage/task/demo{order}": json.dumps({"text": text, "done": is_done, "order": order})
        for order, (text, is_done) in enumerate(tasks)
    }
