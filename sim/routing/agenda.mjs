/** What is to happen, in the order of time; of two things at the same time the one noted first. */
export class Agenda {
  #heap = [];
  #noted = 0;
  /** Milliseconds. */
  now = 0;

  /** @param happen called with nothing when the time has come */
  at(time, happen) {
    const heap = this.#heap;
    const entry = { time, order: this.#noted++, happen };
    let index = heap.length;
    for (; index > 0; ) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = entry;
  }

  after(ms, happen) {
    this.at(this.now + ms, happen);
  }

  /** Lets everything happen that is due before `end`; `now` is then `end`. */
  runUntil(end) {
    while (this.#heap.length > 0 && this.#heap[0].time < end) {
      const { time, happen } = this.#take();
      this.now = time;
      happen();
    }
    this.now = end;
  }

  #take() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

const isBefore = (one, other) =>
  one.time < other.time || (one.time === other.time && one.order < other.order);
