/** @x/airframe → the name of its list of dependencies, as pnpm makes file names of package names. */
export const sbomFile = name => `${name.replace('@', '').replace('/', '-')}.cdx.json`;
