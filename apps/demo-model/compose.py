"""Composes the training text: conversations of one to eight turns, as segments with a loss weight each.

A segment is (text, weight): weight 0 is what the model reads, above 0 what it must say.
"""

import random

import arithmetic
from phrases import Frame, OffTopic, Rewording, load_topics, plain

START, END = "<|im_start|>", "<|im_end|>"
KINDS = {"sums": 40, "project": 38, "talk": 10, "offtopic": 12}
TURNS = {1: 34, 2: 20, 3: 14, 4: 10, 5: 8, 6: 6, 7: 4, 8: 4}
ANSWER_WEIGHT, SUM_WEIGHT = 1.0, 3.0  # a sum is a few tokens that must all be right
DRILL_SHARE = 0.22
RAW_SHARE = 0.08  # prompts that reach the model without the chat template
RAW_FORMS = [
    ("{}", 6), ("{}\n", 2), ("Question: {}\nAnswer:", 2), ("Q: {}\nA:", 2), ("User: {}\nAssistant:", 2),
    ("user: {}\nassistant:", 2), ("You are a helpful assistant.\n\n{}", 1),
    ("You are a helpful assistant.\n\nUser: {}\nAssistant:", 1), ("Answer the question.\n{}", 1),
]


class Composer:
    """Draws questions and conversations, reproducibly, from one random generator."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.topics = load_topics()
        self.project = [t for t in self.topics if t.kind == "project"]
        self.talk = [t for t in self.topics if t.kind != "project"]
        self.offtopic, self.frame, self.rewording = OffTopic(), Frame(), Rewording()
        self.unseen = {plain(q) for topic in self.topics for q in topic.held + topic.free}
        self.deck = []

    def pair(self):
        """One training question with its answer and the weight of that answer."""
        rng = self.rng
        kind = rng.choices(list(KINDS), KINDS.values())[0]
        if kind == "sums":
            question, answer = arithmetic.sample(rng)
            weight = SUM_WEIGHT if len(answer) < 24 else ANSWER_WEIGHT
        elif kind == "offtopic":
            question, answer, weight = self.offtopic.sample(rng), self.offtopic.answer, ANSWER_WEIGHT
        else:
            topic = self._next_project() if kind == "project" else rng.choice(self.talk)
            question, answer, weight = self._worded(topic.pick(rng)), topic.answer, ANSWER_WEIGHT
        return self.frame.vary(rng, question), answer, weight

    def _worded(self, question):
        """The question in other words half of the time, unless that gives one kept for evaluation."""
        if self.rng.random() < 0.5:
            return question
        other = self.rewording.apply(self.rng, question)
        return question if plain(other) in self.unseen else other

    def _next_project(self):
        """Topics in shuffled rounds, so that none is seen less than another."""
        if not self.deck:
            self.deck = self.rng.sample(self.project, len(self.project))
        return self.deck.pop()

    def conversation(self):
        """One training sample as a list of (text, weight) segments."""
        rng = self.rng
        if rng.random() < DRILL_SHARE:
            return self.drill()
        if rng.random() < RAW_SHARE:
            question, answer, weight = self.pair()
            form = rng.choices([f for f, _ in RAW_FORMS], [w for _, w in RAW_FORMS])[0]
            return [(form.format(question), 0), (answer + END, weight)]
        read, segments = "", []
        if rng.random() < 0.45:
            read = message("system", self.frame.system(rng))
        for _ in range(rng.choices(list(TURNS), TURNS.values())[0]):
            question, answer, weight = self.pair()
            read += message("user", question) + f"{START}assistant\n"
            if rng.random() < 0.03:  # a reply that was cut off, as after a cancelled stream: read, not learnt
                read += answer[: rng.randrange(len(answer))] + END + "\n"
                continue
            segments += [(read, 0), (answer + END, weight)]
            read = "\n"
        return segments or self.conversation()


    def drill(self):
        """A run of bare sums, with the loss on the results: where the arithmetic itself is learnt."""
        segments, read = [], ""
        for _ in range(self.rng.randint(6, 16)):
            left, right = arithmetic.drill(self.rng).split(" =")
            segments += [(f"{read}{START}assistant\n{left} =", 0), (right + END, SUM_WEIGHT)]
            read = "\n"
        return segments


def message(role, text):
    """One message of the chat template."""
    return f"{START}{role}\n{text}{END}\n"


def all_phrasings():
    """Every fixed text: answers, and questions seen and held back."""
    lines = []
    for topic in load_topics():
        lines += [topic.answer, *topic.own, *topic.made, *topic.held, *topic.free]
    return lines


if __name__ == "__main__":
    composer = Composer(1)
    for _ in range(12):
        print("".join(text for text, _ in composer.conversation()), end="\n----\n")
