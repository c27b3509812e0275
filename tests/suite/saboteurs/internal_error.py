"""Breaks pytest itself."""


def pytest_runtest_logstart() -> None:
    raise RuntimeError("the plugin broke")
