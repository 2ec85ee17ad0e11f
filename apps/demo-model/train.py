"""Trains pilot from scratch: `python3 train.py --steps N --out build`. Same seed, same text."""

import argparse
import json
import math
import os
import time
from pathlib import Path

import torch
from torch import multiprocessing

from compose import Composer
from model import Config, Llama
from tokenizer import Tokenizer, count_pieces

VOCABULARY = 2304
VOCABULARY_SAMPLE = 12_000  # conversations that the vocabulary is counted from
BATCH_TOKENS = 8_000  # of all workers together
POOL_BATCHES = 16  # batches cut from one sorted pool, so that rows of a batch have similar length
LONGEST = 640
PEAK_RATE, LAST_RATE, WARM_UP = 2.5e-3, 5e-5, 60
WEIGHT_DECAY, CLIP = 0.05, 1.0
# Keeps the log of the softmax's sum near 0: a sure token then has a logit near 0 and the rest far below, which the
# repeat penalty of a sampler (it divides positive logits and multiplies negative ones) hardly changes.
Z_LOSS = 2e-3


def build_vocabulary(seed):
    """The tokenizer, from a sample of conversations plus the answers, whose words must all be in it."""
    composer = Composer(seed)
    texts = ["".join(text for text, _ in composer.conversation()) for _ in range(VOCABULARY_SAMPLE)]
    answers = [topic.answer for topic in composer.topics] + [composer.offtopic.answer]
    return Tokenizer.build(count_pieces(texts + answers * 50), VOCABULARY)


def encode(tokenizer, segments):
    """Token ids and the weight of each as a target."""
    ids, weights = [], []
    for text, weight in segments:
        part = tokenizer.encode(text)
        ids += part
        weights += [weight] * len(part)
    return ids[:LONGEST], weights[:LONGEST]


def batches(composer, tokenizer, size):
    """Endless (inputs, targets, weights), in batches of about `size` tokens."""
    while True:
        pool, total = [], 0
        while total < size * POOL_BATCHES:
            pool.append(encode(tokenizer, composer.conversation()))
            total += len(pool[-1][0])
        pool.sort(key=lambda row: len(row[0]))
        cut, rows = [], []
        for row in pool:
            if rows and len(row[0]) * (len(rows) + 1) > size * 1.1:
                cut.append(rows)
                rows = []
            rows.append(row)
        cut.append(rows)
        composer.rng.shuffle(cut)
        for rows in cut:
            yield pad(rows)


def pad(rows):
    """Rows of one batch as tensors; the input is one token behind its target."""
    length = max(len(ids) for ids, _ in rows)
    ids = torch.tensor([row + [0] * (length - len(row)) for row, _ in rows])
    weights = torch.tensor([row + [0.0] * (length - len(row)) for _, row in rows], dtype=torch.float32)
    return ids[:, :-1], ids[:, 1:], weights[:, 1:]


def rate_at(step, steps):
    """Learning rate: linear warm-up, then a cosine down."""
    if step < WARM_UP:
        return PEAK_RATE * (step + 1) / WARM_UP
    done = (step - WARM_UP) / max(1, steps - WARM_UP)
    return LAST_RATE + (PEAK_RATE - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * done))


class Shared:
    """What the workers share: the flat weights, one flat gradient each, one loss each, and a barrier."""

    def __init__(self, size, workers, context):
        self.weights = torch.zeros(size).share_memory_()
        self.gradients = torch.zeros(workers, size).share_memory_()
        self.losses = torch.zeros(workers, 2).share_memory_()  # loss, tokens read
        self.barrier = context.Barrier(workers)


def place(model, flat):
    """Makes every weight of the model a view into `flat`, which keeps its values if it has any."""
    fresh, offset = not flat.any(), 0
    for weight in model.parameters():
        view = flat[offset : offset + weight.numel()].view_as(weight)
        if fresh:
            view.copy_(weight.detach())
        weight.data = view
        offset += weight.numel()


def loss_of(model, batch):
    """(the loss to minimise, its cross-entropy part), as weighted means over the answer tokens."""
    inputs, targets, weights = batch
    wanted = weights > 0
    logits = model(inputs, wanted)
    weight, target = weights[wanted], targets[wanted]
    total = torch.logsumexp(logits, -1)
    each = total - logits.gather(1, target[:, None])[:, 0]
    mean = (each * weight).sum() / weight.sum()
    return mean + Z_LOSS * (total.pow(2) * weight).sum() / weight.sum(), mean.detach()


def work(rank, steps, seed, out, workers, shared):
    """One process on one core. Two of these are three times as fast as two threads when the machine is shared."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    tokenizer = Tokenizer.load(out / "tokenizer.json")
    model = Llama(Config(vocab=len(tokenizer.tokens)))
    if rank == 0:
        place(model, shared.weights)
    shared.barrier.wait()
    place(model, shared.weights)
    stream = batches(Composer(seed + 1 + rank), tokenizer, BATCH_TOKENS // workers)
    lead = Lead(model, steps, out, shared) if rank == 0 else None
    for step in range(steps):
        batch = next(stream)
        loss, shown = loss_of(model, batch)
        model.zero_grad(set_to_none=True)
        loss.backward()
        torch.cat([weight.grad.flatten() for weight in model.parameters()], out=shared.gradients[rank])
        shared.losses[rank] = torch.tensor([shown, batch[0].numel()])
        shared.barrier.wait()
        if lead:
            lead.step(step)
        shared.barrier.wait()
    if lead:
        lead.finish(seed, workers)


class Lead:
    """The first worker's extra duty: the optimizer's step, the progress lines and the result."""

    def __init__(self, model, steps, out, shared):
        self.model, self.steps, self.out, self.shared = model, steps, out, shared
        matrices = [w for w in model.parameters() if w.dim() == 2]
        norms = [w for w in model.parameters() if w.dim() < 2]
        groups = [{"params": matrices, "weight_decay": WEIGHT_DECAY}, {"params": norms, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=PEAK_RATE, betas=(0.9, 0.98))
        self.started, self.seen, self.run = time.time(), 0, []

    def step(self, step):
        """Averages the gradients of all workers and moves the weights."""
        offset, mean = 0, self.shared.gradients.mean(0)
        for weight in self.model.parameters():
            weight.grad = mean[offset : offset + weight.numel()].view_as(weight)
            offset += weight.numel()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(step, self.steps)
        self.optimizer.step()
        self.seen += int(self.shared.losses[:, 1].sum())
        self.run.append(self.shared.losses[:, 0].mean().item())
        if (step + 1) % 25 == 0 or step + 1 == self.steps:
            self.report(step + 1)

    def report(self, done):
        """One progress line; now and then the weights so far."""
        spent = time.time() - self.started
        left = spent / done * (self.steps - done)
        print(f"step {done}/{self.steps}  loss {sum(self.run) / len(self.run):.4f}  {self.seen / spent:,.0f} tokens/s  "
              f"{spent / 60:.1f} min, {left / 60:.1f} left", flush=True)
        self.run = []
        if done % 100 == 0:
            self.save()

    def save(self):
        """Writes model.pt, whole or not at all."""
        half = self.out / "model.half"
        torch.save({name: weight.clone() for name, weight in self.model.state_dict().items()}, half)
        os.replace(half, self.out / "model.pt")

    def finish(self, seed, workers):
        """Writes the weights, and the facts of the run for the model card."""
        self.save()
        minutes = round((time.time() - self.started) / 60, 1)
        facts = {"steps": self.steps, "seed": seed, "minutes": minutes, "tokens": self.seen, "workers": workers,
                 "parameters": self.model.size(), "vocabulary": self.model.config.vocab}
        (self.out / "training.json").write_text(json.dumps(facts, indent=2) + "\n")


def train(steps, seed, out, workers):
    """Builds the vocabulary, runs the workers and leaves tokenizer.json, model.pt and training.json in `out`."""
    tokenizer = build_vocabulary(seed)
    tokenizer.save(out / "tokenizer.json")
    size = Llama(Config(vocab=len(tokenizer.tokens))).size()
    print(f"{size:,} parameters, {len(tokenizer.tokens)} tokens in the vocabulary, {steps} steps", flush=True)
    context = multiprocessing.get_context("spawn")
    shared = Shared(size, workers, context)
    multiprocessing.spawn(work, (steps, seed, out, workers, shared), nprocs=workers)


def main():
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1800)
    parser.add_argument("--seed", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2, help="processes, one core each; part of the recipe")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "build")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    train(arguments.steps, arguments.seed, arguments.out, arguments.workers)


if __name__ == "__main__":
    main()
