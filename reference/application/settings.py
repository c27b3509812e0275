"""What the application is told from outside: the environment variables of the guide's appendix B."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Settings:
    """The application's settings; secrets are kept out of the repr.

    Attributes:
        environment: where this instance runs, as the health answer says it.
        version: the release that is served.
        commit: the commit that the release was built from.
        database_url: a libpq connection string.
        jwt_secret: the key that signs tokens.
        board_key: the API key of the screens that show the board.
        cors_origins: the origins that a browser may call from, with their scheme.
        log_dir: the folder of ``app.log`` and ``access.log``.
        log_level: the level of ``app.log``.
        token_lifetime_min: how long an access token is valid.
        refresh_lifetime_min: how long a refresh token is valid.
    """

    environment: str
    version: str
    commit: str
    database_url: str = field(repr=False)
    jwt_secret: str = field(repr=False)
    board_key: str = field(repr=False)
    cors_origins: tuple[str, ...]
    log_dir: Path
    log_level: str = "INFO"
    token_lifetime_min: int = 15
    refresh_lifetime_min: int = 12 * 60

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings.

        Raises:
            KeyError: a variable is missing; its name is the argument.
        """
        return cls(
            environment=environ["ENVIRONMENT"],
            version=environ["RELEASE_VERSION"],
            commit=environ["RELEASE_COMMIT"],
            database_url=environ["DATABASE_URL"],
            jwt_secret=environ["JWT_SECRET"],
            board_key=environ["BOARD_API_KEY"],
            cors_origins=tuple(environ["CORS_ORIGINS"].split(",")),
            log_dir=Path(environ["LOG_DIR"]),
            log_level=environ["LOG_LEVEL"],
        )
