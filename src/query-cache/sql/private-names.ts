/** As it is written, and as compilers write it for older engines. */
const PRIVATE_NAME = /#[\p{ID_Start}$_\\]|_class_?private|__private/iu;

/** Whether a class keeps something where nobody else finds it, as far as its text tells. */
export function hasPrivateNames(classText: string): boolean {
  return PRIVATE_NAME.test(classText);
}
