import type { SourcePosition } from '../identity/resolved-event.ts';

type Mark = [offset: number, index: number];

/** Per source topic and partition the newest position seen, so that what a restarted ingest sends again is known. */
export class SourceMarks {
  readonly #marks = new Map<string, Map<number, Mark>>();
  /** Those of the topic that was asked about last: nearly always the next one's. */
  #last: { readonly topic: string; readonly marks: Map<number, Mark> } | null = null;

  /** Whether the position, or a later one of its partition, was here before. */
  seen({ topic, partition, offset, index }: SourcePosition): boolean {
    const marks = this.#marksOf(topic);
    const mark = marks.get(partition);
    if (mark === undefined) marks.set(partition, [offset, index]);
    else if (offset < mark[0] || (offset === mark[0] && index <= mark[1])) return true;
    else {
      mark[0] = offset;
      mark[1] = index;
    }
    return false;
  }

  #marksOf(topic: string): Map<number, Mark> {
    if (this.#last?.topic === topic) return this.#last.marks;
    const marks = this.#marks.get(topic) ?? new Map<number, Mark>();
    this.#marks.set(topic, marks);
    this.#last = { topic, marks };
    return marks;
  }

  snapshot() {
    return [...this.#marks];
  }

  restore(saved: ReturnType<SourceMarks['snapshot']>): void {
    for (const [topic, marks] of saved) this.#marks.set(topic, marks);
    this.#last = null;
  }
}
