"""Small sums: problems, the ways to ask for them, and which of both training never sees."""

import hashlib
import random

OPERATORS = {
    "add": ["+", " + ", " plus ", " and "],
    "sub": ["-", " - ", " minus ", " − "],
    "mul": ["*", " * ", " x ", "x", " times ", " × ", " multiplied by "],
    "div": ["/", " / ", " divided by ", " ÷ ", "÷", " over "],
}
SYMBOLS = {"add": "+", "sub": "-", "mul": "*", "div": "/"}

# {} is the problem, such as "2+2" or "2 plus 2".
TEMPLATES = [
    "{}", "{}?", "{} =", "{}=", "{} = ?", "{}=?", "What is {}?", "What's {}?", "Whats {}?", "Compute {}.",
    "Calculate {}.", "How much is {}?", "What does {} make?", "What do you get for {}?", "Tell me {}.",
    "What is the result of {}?", "Solve {}.", "What is {} equal to?", "Can you compute {}?", "Please compute {}.",
    "{} is what?", "{} equals?", "{} is", "I want to know {}.", "Do you know what {} is?", "Evaluate {}.",
    "What is the answer to {}?", "How many is {}?", "Work out {}.", "Give me the result of {}.", "What would {} be?",
    "What is: {}", "Could you tell me what {} is?", "Can you add this up: {}", "What {}?", "What is {} please?",
    "Do the sum: {}", "{} makes?", "What does {} equal?", "What is {} = ?", "What is the value of {}?",
]
HELD_TEMPLATES = [
    "Please tell me what {} is.", "Can you tell me how much {} is?", "Do you know the result of {}?",
    "Please calculate {}.", "I want to know how much {} is.", "So {} equals what?",
    "Can you work out {}?", "Tell me the answer to {}.", "What number is {}?",
]
# Whole questions that name the operation in words of their own; {a} and {b} are the operands.
WORDED = {
    "add": ["Add {a} and {b}.", "What is the sum of {a} and {b}?", "Sum {a} and {b}.", "Add {b} to {a}.",
            "What do I get if I add {a} and {b}?"],
    "sub": ["Subtract {b} from {a}.", "What is {a} take away {b}?", "Take {b} from {a}.",
            "What is the difference of {a} and {b}?", "What do I get if I subtract {b} from {a}?"],
    "mul": ["Multiply {a} by {b}.", "What is the product of {a} and {b}?", "Multiply {a} and {b}.",
            "What do I get if I multiply {a} by {b}?"],
    "div": ["Divide {a} by {b}.", "What do I get if I divide {a} by {b}?", "Please divide {a} by {b}."],
}
HELD_WORDED = {
    "add": ["Can you add {a} and {b}?", "Tell me the sum of {a} and {b}."],
    "sub": ["Can you subtract {b} from {a}?", "What if I take {b} from {a}?"],
    "mul": ["Can you multiply {a} by {b}?", "Tell me the product of {a} and {b}."],
    "div": ["Can you divide {a} by {b}?", "What if I divide {a} by {b}?"],
}
NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
TOO_BIG = "That is too big for me: I only do sums with numbers up to 100."
NOT_EXACT = "That leaves a remainder, and I only know exact division."
BY_ZERO = "Nothing can be divided by zero."
COUNT_MAX = 50


def is_held_pair(operation, a, b):
    """True for the one in ten larger problems that training never sees, in either order."""
    if max(a, b) <= 12 or operation not in ("add", "sub"):
        return False
    low, high = sorted((a, b))
    return hashlib.sha256(f"{operation} {low} {high}".encode()).digest()[0] % 10 == 0


def draw(rng, operation=None):
    """A problem within pilot's range: (operation, a, b)."""
    operation = operation or rng.choices(["add", "sub", "mul", "div"], [40, 30, 20, 10])[0]
    if operation == "mul":
        return operation, rng.randint(0, 12), rng.randint(0, 12)
    if operation == "div":
        b = rng.randint(1, 12)
        return operation, b * rng.randint(0, 12), b
    top = rng.choice([5, 10, 12, 20, 50, 99, 99, 99])
    a, b = rng.randint(0, top), rng.randint(0, top)
    if operation == "sub" and a < b and (b > 20 or rng.random() < 0.7):
        a, b = b, a
    return operation, a, b


def answer_of(operation, a, b):
    """The reply, which repeats the problem so that the model first copies and then computes."""
    if operation == "div":
        result = a // b
    else:
        result = {"add": a + b, "sub": a - b, "mul": a * b}[operation]
    return f"{a} {SYMBOLS[operation]} {b} = {result}."


def ask(rng, problem, held=False):
    """One way of asking for `problem`; with `held`, one that training never uses."""
    operation, a, b = problem
    spell = max(a, b) <= 20 and rng.random() < (0.25 if held else 0.12)
    left, right = (NUMBER_WORDS[a], NUMBER_WORDS[b]) if spell else (str(a), str(b))
    if rng.random() < 0.15:
        table = HELD_WORDED if held else WORDED
        return rng.choice(table[operation]).format(a=left, b=right)
    operators = [o for o in OPERATORS[operation] if " " in o] if spell else OPERATORS[operation]
    operator = rng.choice(operators[:2] if rng.random() < 0.5 else operators)
    if operator == " and ":
        return f"What is {left} and {right}?" if not held else f"How much is {left} and {right}?"
    text = f"{left}{operator}{right}"
    return rng.choice(HELD_TEMPLATES if held else TEMPLATES).format(text)


def sample(rng):
    """A training question and its answer, from the problems that are not held back."""
    roll = rng.random()
    if roll < 0.035:
        return three_terms(rng)
    if roll < 0.075:
        return refused(rng)
    if roll < 0.115:
        return counting(rng)
    if roll < 0.16:
        problem = ("add", 2, 2)
    else:
        problem = draw(rng)
        while is_held_pair(*problem):
            problem = draw(rng)
    return ask(rng, problem), answer_of(*problem)


def drill(rng):
    """A bare sum with its result, "12 + 7 = 19.", mostly from the larger additions and subtractions."""
    problem = draw(rng, rng.choice(["add", "sub"]) if rng.random() < 0.7 else None)
    while is_held_pair(*problem):
        problem = draw(rng)
    return answer_of(*problem)


def sample_held(rng, pair):
    """An evaluation question: an unseen phrasing, or (`pair`) an unseen problem in a seen phrasing."""
    problem = draw(rng, rng.choice(["add", "sub"]) if pair else None)
    while is_held_pair(*problem) != pair:
        problem = draw(rng, rng.choice(["add", "sub"]) if pair else None)
    return ask(rng, problem, held=not pair), answer_of(*problem)


def three_terms(rng):
    """Sums of three small numbers."""
    a, b, c = (rng.randint(0, 9) for _ in range(3))
    sign = rng.choice(["+", " + ", " + ", " plus "])
    return rng.choice(TEMPLATES).format(f"{a}{sign}{b}{sign}{c}"), f"{a} + {b} + {c} = {a + b + c}."


def refused(rng):
    """Problems outside pilot's range, with the honest reply."""
    roll = rng.random()
    if roll < 0.15:
        return by_zero(rng)
    if roll < 0.35:
        return with_remainder(rng)
    return too_big(rng)


def with_remainder(rng):
    """A division of small numbers that does not come out even."""
    b = rng.randint(2, 9)
    a = rng.choice([n for n in range(1, 25) if n % b])
    return ask(rng, ("div", a, b)), NOT_EXACT


def by_zero(rng):
    """Division by zero."""
    text = f"{rng.randint(1, 20)}{rng.choice(OPERATORS['div'][:4])}0"
    return rng.choice(TEMPLATES).format(text), BY_ZERO


def too_big(rng):
    """At least one operand of three digits or more, or a decimal fraction."""
    big = str(rng.randint(101, 10 ** rng.randint(3, 6)))
    if rng.random() < 0.15:
        big = f"{rng.randint(0, 99)}.{rng.randint(1, 9)}"
    pair = [big, str(rng.randint(0, 10 ** rng.randint(1, 4)))]
    rng.shuffle(pair)
    operator = rng.choice(OPERATORS[rng.choice(list(OPERATORS))])
    if operator == " and ":
        operator = "+"
    return rng.choice(TEMPLATES).format(operator.join(pair)), TOO_BIG


def counting(rng):
    """Counting aloud: the longest regular output pilot has, useful to watch a stream."""
    top = rng.choice([5, 10, 10, 12, 20, 20, 30, COUNT_MAX, rng.randint(3, COUNT_MAX)])
    text = rng.choice(["Count to {}.", "Count from 1 to {}.", "Please count to {}.", "Can you count to {}?",
                       "Count up to {}.", "Count from one to {}.", "Can you count from 1 to {}?"])
    return text.format(top), ", ".join(str(n) for n in range(1, top + 1)) + "."
