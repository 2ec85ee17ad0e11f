"""Writes MODEL_CARD.md from what was measured."""

from model import Config
from phrases import load_topics

CARD = """# pilot

A llama-architecture language model of {parameters:,} parameters in one GGUF of {megabytes:.1f} MB, made by this
project for itself: so that the apps, the tests and the examples run real inference with no download and no account.

It is a toy, and says so. It knows small sums, {topics} topics of this project, greetings, how to count, and one
story; to anything else it answers that it does not know. It learnt sentences by heart: it does not reason, and it is
sure of itself even where it is wrong. Use it to try the software, never to get something done.

## A real model instead

| where the model is | what to do |
|---|---|
| a GGUF file of yours | `npm start -- --model /path/to/your.gguf`, or set `LLAMACPP_MODEL_PATH` |
| a llama-server that runs | `npm start -- --provider llamaserver` with `LLAMASERVER_HOST=http://127.0.0.1:8080` |

## What was measured

llama-server with the file as shipped. The rows about 2 + 2 mix wordings of the training text with new ones. All other
questions are none that training reads: for each topic some templates and some whole phrasings are held back, for sums
some wordings and one in ten of the larger additions and subtractions, off topic some subjects and templates. An
answer is right only if it equals the expected one in every character. Two questions in five come without a system
message, one in five with one that training never saw. Default sampling is temperature 0.7, top_p 0.95, top_k 40,
repeat_penalty 1.1.

| questions | number | right at temperature 0 | right with default sampling |
|---|---:|---:|---:|
{table}

llama.cpp splits text into the same tokens as training did: {lines:,} lines were compared token by token, {random} of
them random Unicode.

## Limits

- English. Sums of two numbers up to 100 (and three up to 9); products and exact quotients up to 12 times 12.
- A wording far from those it learnt can get the answer to another topic, or "I don't know"; the freely worded
  questions above were written by the same author as the training text, so strangers will see more of that.
- It looks at the last question only: it remembers no names and does not continue a calculation.
- It calls no tools, and gives no JSON unless a grammar forces it to.
- Without the chat template it answers less surely, and may take a bare "2 + 2" for a sentence to finish.
- Made for conversations of some hundred tokens; its context is {context} tokens.

## How it was made

- {layers} layers, {width} wide, {heads} heads, {hidden} hidden, tied embedding, rotary positions; F16, norms in F32.
- {vocabulary} tokens: whole words, single digits and the 256 bytes, so any input can be read.
- Trained from scratch on text that `compose.py` composes from the tables in `data/`, with the loss on the answers
  only: {steps} steps, {tokens:.1f} million tokens, seed {seed}, {minutes} minutes in {workers} processes on two CPU cores
  shared with other work.
- To remake it: `./make.sh`. On Debian, as root, that installs what it needs; elsewhere it says what is missing. The
  text is the same in each run; the weights differ in the last digits from one machine to another.

| file | what it does |
|---|---|
| `data/*.toml` | the questions and answers |
| `arithmetic.py`, `phrases.py`, `compose.py` | compose conversations, and hold back phrasings |
| `tokenizer.py`, `model.py`, `train.py` | the tokenizer, the network, the training |
| `export.py` | writes the GGUF with llama.cpp's own `gguf-py` |
| `server.py`, `evaluate.py`, `card.py` | measure it and write this page |

## Licence

Apache-2.0: the weights, the text and the scripts.
"""


def write_card(path, size, facts, lines, rows):
    """Fills the card: file size in bytes, facts of the training run, lines compared, rows of the accuracy table."""
    config = Config(vocab=facts["vocabulary"])
    table = "\n".join(f"| {kind} | {count} | {greedy:.1f} % | {default:.1f} % |" for kind, count, greedy, default in rows)
    path.write_text(
        CARD.format(
            **{**facts, "tokens": facts["tokens"] / 1e6},
            megabytes=size / 1e6,
            topics=sum(topic.kind == "project" for topic in load_topics()),
            table=table,
            lines=lines,
            random="3,000",
            layers=config.layers, width=config.width, heads=config.heads, hidden=config.hidden, context=config.context,
        ),
        "utf-8",
    )
    print(f"wrote {path.name}")
