/**
 * File extensions that make a double-click run the file, or open it in a browser, on some operating system,
 * whatever its content. Sources: Microsoft's list of attachments blocked by Outlook, Chromium's list of
 * dangerous file types, and the executable types of Linux desktops and macOS.
 */
const RUN_BY_NAME: ReadonlySet<string> = new Set(
  `
  ade adp app appcontent-ms application appref-ms appx appxbundle asp aspx bas bat bgi chm cmd cnt com cpl csh
  diagcab exe fxp gadget grp hlp hpj hta htc inf ins iso isp its jar jnlp js jse ksh lnk mad maf mag mam maq mar mas
  mat mau mav maw mcf mda mdb mde mdt mdw mdz msc msh msh1 msh2 mshxml msh1xml msh2xml msi msix msixbundle msp mst msu ops
  osd pcd pif pl plg prf prg printerexport ps1 ps1xml ps2 ps2xml psc1 psc2 psd1 psdm1 psm1 py pyc pyo pyw pyz pyzw rb
  reg scf scr sct search-ms searchconnector-ms settingcontent-ms shb shs sys theme themepack tmp udl url vb vbe vbp vbs
  vhd vhdx vsmacros vsw webpnp website ws wsb wsc wsf wsh xbap xll xnk
  command csh dmg fish mobileconfig mpkg osx pkg scpt scptd sh terminal tool webloc workflow zsh bash
  apk appimage deb desktop flatpakref rpm run snap dll ocx drv elf
  htm html mht mhtml shtml shtm svg svgz xht xhtm xhtml xml xsl xslt mjs cjs php php3 php4 php5 phtml swf
  docm dotm dot potm ppam ppsm pptm sldm xlam xlsb xlsm xltm xla xlt xlw pot pps ppa
  `
    .trim()
    .split(/\s+/),
);

/** Returns true if files with that extension are never accepted, with any declared type. */
export const runsByName = (extension: string): boolean => RUN_BY_NAME.has(extension);

/** The names that `file-type` gives to bytes that a system runs, and to documents with macros. */
const PROGRAMS: ReadonlySet<string> = new Set([
  'application/java-archive',
  'application/java-vm',
  'application/vnd.android.package-archive',
  'application/vnd.ms-cab-compressed',
  'application/vnd.ms-htmlhelp',
  'application/wasm',
  'application/x-apple-diskimage',
  'application/x-bat',
  'application/x-deb',
  'application/x-elf',
  'application/x-ft-apple.alias',
  'application/x-installshield',
  'application/x-iso9660-image',
  'application/x-mach-binary',
  'application/x-ms-regedit',
  'application/x-ms-shortcut',
  'application/x-msdownload',
  'application/x-rpm',
  'application/x-shockwave-flash',
  'application/x-xpinstall',
  'application/xml',
]);

/** Returns true if `file-type` names a program, a page or a document with macros. */
export const isProgram = (detected: string): boolean =>
  PROGRAMS.has(detected) || detected.includes('macroenabled');
