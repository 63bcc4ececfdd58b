import type { SourcePosition } from '../identity/resolved-event.ts';

type Mark = [offset: number, index: number];

/** Per source topic and partition the newest position seen, so that what a restarted ingest sends again is known. */
export class SourceMarks {
  readonly #marks = new Map<string, Map<number, Mark>>();

  /** Whether the position, or a later one of its partition, was here before. */
  seen({ topic, partition, offset, index }: SourcePosition): boolean {
    let marks = this.#marks.get(topic);
    if (marks === undefined) {
      marks = new Map();
      this.#marks.set(topic, marks);
    }
    const mark = marks.get(partition);
    if (mark === undefined) marks.set(partition, [offset, index]);
    else if (offset < mark[0] || (offset === mark[0] && index <= mark[1])) return true;
    else {
      mark[0] = offset;
      mark[1] = index;
    }
    return false;
  }

  snapshot() {
    return [...this.#marks];
  }

  restore(saved: ReturnType<SourceMarks['snapshot']>): void {
    for (const [topic, marks] of saved) this.#marks.set(topic, marks);
  }
}
