/** Light, dark, or as the system has it. */
import { useLayoutEffect, useState } from 'preact/hooks';

export const THEMES = ['auto', 'light', 'dark'] as const;

export type Theme = (typeof THEMES)[number];

const STORED_AS = 'tidemark-theme';

/** The chosen theme and the function that chooses one; it survives a reload. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState<Theme>(stored);
  // With the button that names the theme.
  useLayoutEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    try {
      localStorage.setItem(STORED_AS, theme);
    } catch {
      // Without storage, the choice lasts as long as the page.
    }
  }, [theme]);
  return [theme, setTheme];
}

/** Calls the listener when the colours in force may have changed. */
export function onColoursChange(listener: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', listener);
  const chosen = new MutationObserver(listener);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    system.removeEventListener('change', listener);
    chosen.disconnect();
  };
}

function stored(): Theme {
  try {
    return THEMES.find((theme) => theme === localStorage.getItem(STORED_AS)) ?? 'auto';
  } catch {
    return 'auto';
  }
}
