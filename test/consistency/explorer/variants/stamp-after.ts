import type { FreshnessGate } from '../../../../src/query-cache/core/freshness-gate.js';
import type { Answer } from '../../../../src/query-cache/core/read-request.js';
import { Reader, type Query } from '../actors/reader.js';

/** `stamp-after`: the stamp of an entry is read when its answer is there. */
export class StampAfterReader extends Reader {
  #latest = { withInserts: '', withoutInserts: '' };

  protected override gateOver(gate: FreshnessGate): FreshnessGate {
    const check = gate.check.bind(gate);
    gate.check = async (dependencies) => {
      const freshness = await check(dependencies);
      if (!freshness.trusted) return freshness;
      // What is read again later is seen by those who hold this one.
      this.#latest = { ...freshness.stamps };
      return { trusted: true, stamps: this.#latest };
    };
    return gate;
  }

  protected override async run(query: Query): Promise<Answer> {
    const stamps = this.#latest;
    const answer = await super.run(query);
    const freshness = await this.gate.check(query.dependencies.tables);
    if (freshness.trusted) Object.assign(stamps, freshness.stamps);
    return answer;
  }
}
