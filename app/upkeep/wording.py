"""Figures as people read them."""


def share(part: float) -> str:
    """Return `97 %`; never 100 % of what is less, nor 0 % of what is more than nothing."""
    percent = round(part * 100)
    if percent == 100 and part < 1:
        return "over 99 %"
    if percent == 0 and part > 0:
        return "under 1 %"
    return f"{percent} %"


def span(seconds: float) -> str:
    """Return a length of time as `0.4 s`, `42 s`, `3 min 5 s`, `2 h 10 min`, `3 days`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    if hours < 10 and minutes:
        return f"{hours} h {minutes} min"
    return f"{hours} h" if hours < 72 else f"{round(hours / 24)} days"


def size(count: float) -> str:
    """Return an amount of bytes: `412 kB`, `12.4 MB`, `3.2 GB`; thousands, as disks are sold."""
    for unit, least in (("GB", 1e9), ("MB", 1e6)):
        if count >= least:
            return f"{count / least:.1f} {unit}"
    return f"{round(count / 1e3)} kB"


def counted(number: int, one: str, many: str) -> str:
    """Return `1 run`, `2 runs`."""
    return f"{number} {one if number == 1 else many}"
