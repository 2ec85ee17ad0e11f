import type { PartForm } from './items.ts';

/** Where an item stands in the output. */
export interface ItemPlace {
  readonly id: string;
  readonly index: number;
}

/** Where an item stands that is being written. */
export interface OpenPlace extends ItemPlace {
  /** What each of its deltas begins with, up to the string that varies. */
  readonly delta: string;
}

/** How the events of a part are called, and what they tell of it. */
export const PART_EVENTS = {
  output_text: {
    text: 'output_text',
    part: 'content_part',
    at: { content_index: 0 },
    more: { logprobs: [] },
  },
  reasoning_text: { text: 'reasoning_text', part: 'content_part', at: { content_index: 0 }, more: {} },
  summary_text: {
    text: 'reasoning_summary_text',
    part: 'reasoning_summary_part',
    at: { summary_index: 0 },
    more: {},
  },
} as const satisfies Record<PartForm, object>;

/** Writes events and numbers them. */
export class EventWriter {
  #sequence = 0;

  event(type: string, fields: object): string {
    return `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#sequence++, ...fields })}\n\n`;
  }

  /** For {@link OpenPlace.delta}. @param fields what else each delta tells */
  prefix(type: string, place: ItemPlace, fields: object): string {
    const json = JSON.stringify({ type, ...idsOf(place), ...fields });
    return `event: ${type}\ndata: ${json.slice(0, -1)},"delta":`;
  }

  delta({ delta }: OpenPlace, text: string): string {
    return `${delta}${JSON.stringify(text)},"sequence_number":${this.#sequence++}}\n\n`;
  }
}

export function idsOf({ id, index }: ItemPlace): { item_id: string; output_index: number } {
  return { item_id: id, output_index: index };
}
