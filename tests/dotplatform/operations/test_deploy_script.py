"""`deploy/deploy` to both kinds of hosts, with a stand-in for the platform: what serves, and when it goes back."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

# The stand-in's `release` and the look at the result both depend on the file `state` of the revision.
RELEASE = """. ./state
mkdir -p "$DOT_VAR/static"
cat REVISION >"$DOT_VAR/static/staticfiles.json"
echo "released $state with $SECRET, files in $DOT_VAR" >>"$LOG"
test "$state" != refuses
"""
SSH = """#!/bin/sh
for command; do :; done
exec sh -c "$command"
"""
VENV = f"""#!/bin/sh
for folder; do :; done
mkdir -p "$folder/bin"
ln -s {sys.executable} "$folder/bin/python"
ln -s /bin/true "$folder/bin/pip"
"""
VERIFY = """#!/bin/sh
echo "look at $*" >>"$LOG"
if [ -d "$SERVER/app" ]; then
    . "$SERVER/app/state"
    served=$(cat "$SERVER/app/REVISION")
else
    eval "$(git -C "$SERVER" show main:state)"
    served=$(git -C "$SERVER" rev-parse main)
fi
test "$state" = good && test "$served" = "$5"
"""


class Deploying:
    """A repository with the script in it, a server to deploy to, and a log of what the stand-ins were asked."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.repository, self.server, self.log = folder / "code", folder / "server", folder / "log"
        tools = folder / "tools"
        for path, text in {
            tools / "ssh": SSH,
            tools / "look": VERIFY,
            tools / "python3": VENV,  # the real one takes longer than all the rest
            tools / "npm": "#!/bin/sh\n",
            self.repository / "Procfile": "release: sh release.sh\nweb: true\n",
            self.repository / "release.sh": RELEASE,
            self.repository / "requirements" / "production.lock": "",
            self.server / "env": "SECRET='a secret'\n",
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        (self.repository / "deploy").mkdir()
        shutil.copy(settings.BASE_DIR / "deploy" / "deploy", self.repository / "deploy")
        self.env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "DOT_"))},
            "PATH": f"{tools}:{os.environ['PATH']}",
            "LOG": str(self.log),
            "SERVER": str(self.server),
            "DEPLOY_TARGET": f"ssh://dot@server:2222{self.server}" if kind == "ssh" else f"git+file://{self.server}",
            "DEPLOY_URL": "https://apps.example.com",
            "DEPLOY_VERIFY": "look",
            "DEPLOY_SSH": "ssh -o BatchMode=yes",
            "DEPLOY_RESTART": 'echo restarted "$(cat app/REVISION)" >>"$LOG"',
        }
        self.git("init", "--quiet", "--initial-branch=main")
        if kind == "git":
            shutil.rmtree(self.server)
            self.git("init", "--quiet", "--bare", "--initial-branch=main", str(self.server))

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=Alice", "-c", "user.email=alice@example.com"]
        result = subprocess.run(
            ["git", *who, *words], cwd=self.repository, env=self.env, check=True, capture_output=True, text=True
        )
        return result.stdout.strip()

    def commit(self, state: str) -> str:
        """A revision that is ``good``, ``bad`` (it does not look right) or ``refuses`` (its checklist is red)."""
        (self.repository / "state").write_text(f"state={state}\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", state)
        return self.git("rev-parse", "HEAD")

    def deploy(self, *words: str) -> tuple[int, str]:
        """Exit code and what was said."""
        script = self.repository / "deploy" / "deploy"
        result = subprocess.run([script, *words], env=self.env, capture_output=True, text=True)
        return result.returncode, result.stderr

    def served(self) -> str:
        if (self.server / "app").exists():
            return (self.server / "app" / "REVISION").read_text().strip()
        return self.git("ls-remote", str(self.server), "refs/heads/main").partition("\t")[0]


@pytest.fixture(params=["ssh", "git"])
def deploying(request: pytest.FixtureRequest, tmp_path: Path) -> Deploying:
    return Deploying(tmp_path, request.param)


@pytest.fixture
def over_ssh(tmp_path: Path) -> Deploying:
    return Deploying(tmp_path, "ssh")


def test_deploys_one_revision_after_the_other_and_looks_at_each(deploying: Deploying) -> None:
    first, second = deploying.commit("good"), deploying.commit("good")
    for revision in (first, second, first):
        code, said = deploying.deploy(revision)
        assert (code, deploying.served()) == (0, revision), said
        assert deploying.log.read_text().splitlines()[-1].endswith(f"--revision {revision}")


def test_goes_back_where_the_result_is_not_right(deploying: Deploying) -> None:
    good = deploying.commit("good")
    assert deploying.deploy()[0] == 0
    bad = deploying.commit("bad")
    code, said = deploying.deploy()
    assert (code, deploying.served()) == (1, good)
    assert f"Went back to {good}. Migrations of {bad} stay" in said


def test_says_where_there_is_nothing_to_go_back_to(deploying: Deploying) -> None:
    deploying.commit("bad")
    code, said = deploying.deploy()
    assert (code, "there is no other to go back to" in said) == (1, True)


def test_a_red_checklist_changes_nothing(over_ssh: Deploying) -> None:
    good = over_ssh.commit("good")
    over_ssh.deploy()
    before = over_ssh.log.read_text()
    over_ssh.commit("refuses")
    code, said = over_ssh.deploy()
    assert (code, over_ssh.served()) == (1, good)
    assert f"Not deployed: {good} goes on serving." in said
    assert "restarted" not in over_ssh.log.read_text().removeprefix(before)


def test_a_host_that_refuses_the_push_goes_on_serving(tmp_path: Path) -> None:
    deploying = Deploying(tmp_path, "git")
    good = deploying.commit("good")
    deploying.deploy()
    hook = deploying.server / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    deploying.commit("good")
    code, said = deploying.deploy()
    assert (code, deploying.served()) == (1, good)
    assert f"Not deployed: {good} goes on serving." in said


def test_the_server_releases_with_its_own_settings_then_restarts(over_ssh: Deploying) -> None:
    revision = over_ssh.commit("good")
    over_ssh.deploy()
    released, restarted, verified = over_ssh.log.read_text().splitlines()
    assert released == f"released good with a secret, files in {over_ssh.server}/var"
    assert restarted == f"restarted {revision}"
    assert verified.startswith("look at https://apps.example.com --wait 120")


def test_a_restart_that_fails_is_undone(over_ssh: Deploying) -> None:
    good = over_ssh.commit("good")
    over_ssh.deploy()
    bad = over_ssh.commit("good")
    over_ssh.env["DEPLOY_RESTART"] = f"! grep -q {bad} app/REVISION"
    code, said = over_ssh.deploy()
    assert (code, over_ssh.served()) == (1, good), said
    assert (over_ssh.server / "var/static/staticfiles.json").read_text().strip() == good  # names of its style sheets


def test_keeps_five_revisions_and_the_dependencies_they_use(over_ssh: Deploying) -> None:
    revisions = []
    for _ in range(7):
        revisions.append(over_ssh.commit("good"))
        assert over_ssh.deploy()[0] == 0
    assert {path.name for path in (over_ssh.server / "releases").iterdir()} == set(revisions[-5:])
    assert len(list((over_ssh.server / "venvs").iterdir())) == 1


def test_refuses_a_target_that_it_does_not_know(over_ssh: Deploying) -> None:
    over_ssh.commit("good")
    over_ssh.env["DEPLOY_TARGET"] = "ftp://example.com/x"
    assert over_ssh.deploy() == (1, "» DEPLOY_TARGET begins with ssh:// or git+, not: ftp://example.com/x\n")
