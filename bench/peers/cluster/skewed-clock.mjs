/** Sets this process's idea of the date back by BENCH_CLOCK_BEHIND_MS. */
const behindMs = Number(process.env.BENCH_CLOCK_BEHIND_MS ?? 0);
const RealDate = globalThis.Date;
const nowMs = () => RealDate.now() - behindMs;

if (behindMs !== 0) {
  globalThis.Date = class Date extends RealDate {
    constructor(...parts) {
      if (parts.length === 0) super(nowMs());
      else super(...parts);
    }

    static now() {
      return nowMs();
    }
  };
}
