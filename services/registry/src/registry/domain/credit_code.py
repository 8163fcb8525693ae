"""The unified social credit code (统一社会信用代码, GB 32100): 17 characters and a check, modulo 31."""

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS = tuple(3**place % 31 for place in range(17))


def is_well_formed(code: str) -> bool:
    """Whether it has 18 characters of the standard's alphabet, which spares I, O, S, V and Z."""
    return len(code) == 18 and set(code) <= set(ALPHABET)


def check_character(body: str) -> str:
    """The 18th character for the first 17."""
    return ALPHABET[-sum(ALPHABET.index(mark) * weight for mark, weight in zip(body, WEIGHTS, strict=True)) % 31]


def checks(code: str) -> bool:
    """Whether the check character of a well-formed code is right."""
    return check_character(code[:17]) == code[17]
