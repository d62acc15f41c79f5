/** The public names of the metrics. */
export {};
