"""By what listings and stored passwords are known, and what only looks like them."""

from __future__ import annotations

import pytest

from fixtures.exposure import SIGNS
from fixtures.password_hashes import kinds_in

SALT = "c2FsdHlzYWx0eXNhbHQ"
DIGEST = "Z2Zkc2FmZHNhZmRzYWZkc2FmZHNhZmRzYQ"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<html><head><title>Index of /static/</title></head>", True),
        ("<h1>Index of /backup</h1>", True),
        ("<title>Directory listing for /assets/</title>", True),
        ("<title>listing directory /uploads/</title>", True),
        ("<H1>Directory: /static/</H1>", True),
        ('<pre><A HREF="/">[To Parent Directory]</A>', True),
        ("<?xml version='1.0'?><ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'>", True),
        ("<!doctype html><title>Shop</title><p>See the Index of /static/ in the manual", False),
        ("<title>Directory of people</title>", False),
        ("<title>Index of authors</title>", False),
    ],
)
def test_listing(text: str, *, found: bool) -> None:
    assert bool(SIGNS["directory listing"].search(text)) is found


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ('{"hash": "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW"}', ["bcrypt"]),
        ('{"hash": "$2y$10$R9h\\/cIPz0gi.URNNX3kh2OPST9\\/PgBkqquzi.Ss7KIUgO2t0jWMUW"}', ["bcrypt"]),
        (f"$argon2id$v=19$m=65536,t=3,p=4${SALT}${DIGEST}", ["argon2"]),
        (f"scrypt:32768:8:1$Xy12${'0f' * 64}", ["scrypt"]),
        (f"scrypt${SALT}$16384$8$1${DIGEST}==", ["scrypt"]),
        (f"pbkdf2_sha256$600000${SALT}${DIGEST}=", ["pbkdf2"]),
        (f"pbkdf2:sha256:600000$Xy12${'0f' * 32}", ["pbkdf2"]),
        (f"$pbkdf2-sha256$29000${SALT}${DIGEST}", ["pbkdf2"]),
        (f"userPassword: {{SSHA}}{DIGEST}", ["LDAP"]),
        (f"$6$rounds=5000$saltsalt${DIGEST}", ["crypt"]),
        (f"$y$j9T${SALT}${DIGEST}", ["crypt"]),
        ('{"etag": "5d41402abc4b2a76b9719d911017c592", "algorithm": "bcrypt", "cost": "$12"}', []),
        ("passwords are kept by pbkdf2_sha256, scrypt or $argon2id$", []),
        ('{"price": "$2a", "template": "{CRYPT}", "shell": "$1 $2 $5$6"}', []),
        ("sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", []),
    ],
)
def test_stored_password(text: str, kinds: list[str]) -> None:
    assert kinds_in(text) == kinds
