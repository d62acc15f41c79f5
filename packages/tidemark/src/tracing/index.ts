/** The public names of the traces. */
export {};
