#!/usr/bin/python3
"""Makes the files of this folder and their manifest with the programs that people use.

Run by hand, on Debian, in any folder; the result lies in `files/` beside this script, and in `manifest.tsv`:

    apt-get install --no-install-recommends libreoffice-writer-nogui libreoffice-calc-nogui \
        libreoffice-impress-nogui pandoc texlive-latex-base imagemagick ghostscript qpdf poppler-utils libheif-examples \
        ffmpeg webp groff enscript zip gcc python3-reportlab python3-openpyxl python3-docx python3-xlsxwriter python3-pil
    /usr/bin/python3 test/files/corpus/make.py

A line of the manifest: the file, the type that is declared, what is expected (the type of a clean file, the reason of a
refused one, or the status of a refused request), and what made it.
"""

import csv
import io
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "files")
ROOT = os.path.join(HERE, "../../..")

PDF = "application/pdf"
RTF = "application/rtf"
DOC, XLS, PPT = "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint"
OOXML = "application/vnd.openxmlformats-officedocument."
DOCX, XLSX, PPTX = (
    OOXML + "wordprocessingml.document",
    OOXML + "spreadsheetml.sheet",
    OOXML + "presentationml.presentation",
)
ODF = "application/vnd.oasis.opendocument."
ODT, ODS, ODP = ODF + "text", ODF + "spreadsheet", ODF + "presentation"
OCTETS = "application/octet-stream"
TXT, CSV, MD = "text/plain", "text/csv", "text/markdown"

manifest = []


def expect(name, declared, expected, by):
    if not os.path.getsize(os.path.join(OUT, name)):
        sys.exit(f"{name} is empty")
    manifest.append((name, declared, expected, by))


def keep(name, data, declared, expected, by):
    with open(os.path.join(OUT, name), "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
    expect(name, declared, expected, by)


def run(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)


def read(name):
    with open(os.path.join(OUT, name), "rb") as file:
        return file.read()


def out(name):
    return os.path.join(OUT, name)


CV = """# Ada Lovelace

Engineer of *analytical* engines. Grüße aus Köln.

- Notes on the engine, 1843
- Numbers of Bernoulli

| Year | Work  |
|------|-------|
| 1843 | Notes |
"""


def pandoc(work):
    source = os.path.join(work, "source.md")
    with open(source, "w") as file:
        file.write(CV)
    for name, form, declared, expected in [
        ("pandoc.docx", "docx", DOCX, DOCX),
        ("pandoc.odt", "odt", ODT, ODT),
        ("pandoc.pptx", "pptx", PPTX, PPTX),
        ("pandoc.rtf", "rtf", "application/msword", RTF),
        ("pandoc.md", "gfm", "", MD),
        ("pandoc.txt", "plain", TXT, TXT),
        ("pandoc.markdown", "markdown", "text/x-markdown", MD),
        ("pandoc-plain.md", "gfm", TXT, MD),
        ("pandoc.html", "html", "text/html", "415"),
        ("pandoc-page.txt", "html", TXT, "type-not-allowed"),
        ("pandoc-page.html", "html", TXT, "415"),
        ("pandoc.epub", "epub", "application/epub+zip", "415"),
        ("pandoc-book.zip", "epub", "application/zip", "type-does-not-match"),
    ]:
        standalone = [] if form in ("gfm", "plain", "markdown") else ["--standalone"]
        run("pandoc", *standalone, "--metadata", "title=CV", "-t", form, "-o", out(name), source)
        expect(name, declared, expected, "Pandoc")


def tex(work):
    def latex(name, body, declared=PDF, engine="pdflatex", packages=""):
        with open(os.path.join(work, "cv.tex"), "w") as file:
            file.write("\\documentclass{article}" + packages + "\\begin{document}" + body + "\\end{document}")
        run(engine, "-interaction=batchmode", "cv.tex", cwd=work)
        shutil.copy(os.path.join(work, "cv.pdf"), out(name))
        expect(name, declared, PDF, engine)

    latex("tex.pdf", "Ada Lovelace $x^2$")
    latex("tex-links.pdf", "\\href{https://example.org}{Ada}", "application/x-pdf", packages="\\usepackage{hyperref}")
    latex("tex-octets.pdf", "A letter\\newpage and more", OCTETS)
    latex("tex-no-type.pdf", "A letter", "")
    run("latex", "-interaction=batchmode", "cv.tex", cwd=work)
    run("dvips", "-q", "-o", "cv.ps", "cv.dvi", cwd=work)
    run("ps2pdf", "cv.ps", out("ghostscript-dvips.pdf"), cwd=work)
    expect("ghostscript-dvips.pdf", PDF, PDF, "dvips and Ghostscript")
    shutil.copy(os.path.join(work, "cv.ps"), out("dvips.ps"))
    expect("dvips.ps", "application/postscript", "415", "dvips")
    shutil.copy(os.path.join(work, "cv.ps"), out("dvips.txt"))
    expect("dvips.txt", TXT, "type-does-not-match", "dvips")
    groff = subprocess.run(["groff", "-ms", "-Tps"], input=b".TL\nAda\n.PP\nText", capture_output=True, check=True)
    keep("groff-ps.pdf", groff.stdout, PDF, "type-does-not-match", "groff")
    run("enscript", "-q", "-B", "-p", os.path.join(work, "e.ps"), os.path.join(work, "source.md"))
    run("ps2pdf", os.path.join(work, "e.ps"), out("ghostscript-enscript.pdf"))
    expect("ghostscript-enscript.pdf", "application/acrobat", PDF, "enscript and Ghostscript")


def pdfs(work):
    source = out("tex.pdf")
    for name, options in [
        ("qpdf-linearized.pdf", ["--linearize"]),
        ("qpdf-objects.pdf", ["--object-streams=generate"]),
        ("qpdf-plain.pdf", ["--qdf", "--object-streams=disable"]),
        ("qpdf-old.pdf", ["--force-version=1.3", "--object-streams=disable"]),
        ("qpdf-owner.pdf", ["--encrypt", "", "owner", "256", "--"]),
    ]:
        run("qpdf", *options, source, out(name))
        expect(name, PDF, PDF, "qpdf " + options[0])
    run("qpdf", "--encrypt", "user", "owner", "256", "--", source, out("qpdf-locked.pdf"))
    expect("qpdf-locked.pdf", PDF, "encrypted", "qpdf --encrypt")
    attached = os.path.join(work, "work.zip")
    with zipfile.ZipFile(attached, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("sketch.txt", "An engine")
    for name, options in [
        ("qpdf-attachment.pdf", []),
        ("qpdf-attachment-stored.pdf", ["--stream-data=uncompress"]),
        ("qpdf-attachment-linearized.pdf", ["--stream-data=uncompress", "--linearize"]),
    ]:
        run("qpdf", *options, source, "--add-attachment", attached, "--", out(name))
        expect(name, PDF, PDF, "qpdf --add-attachment")
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-o", out("ghostscript.pdf"), source)
    expect("ghostscript.pdf", PDF, PDF, "Ghostscript")
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-dPDFA=2", "-sDEVICE=pdfwrite", "-o", out("ghostscript-a.pdf"), source)
    expect("ghostscript-a.pdf", "text/pdf", PDF, "Ghostscript, PDF/A")
    run("gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfimage8", "-r20", "-o", out("ghostscript-scan.pdf"), source)
    expect("ghostscript-scan.pdf", PDF, PDF, "Ghostscript pdfimage8")
    for device, name, type_ in [("png16m", "ghostscript.png", "image/png"), ("jpeg", "ghostscript.jpg", "image/jpeg")]:
        run("gs", "-q", "-dBATCH", "-dNOPAUSE", f"-sDEVICE={device}", "-r20", "-o", out(name), source)
        expect(name, type_, type_, "Ghostscript " + device)
    run("pdfunite", source, out("ghostscript.pdf"), out("poppler-united.pdf"))
    expect("poppler-united.pdf", PDF, PDF, "Poppler pdfunite")
    run("pdftotext", source, out("poppler.txt"))
    expect("poppler.txt", TXT, TXT, "Poppler pdftotext")
    run("pdftocairo", "-svg", source, out("poppler.svg"))
    expect("poppler.svg", "image/svg+xml", "415", "Poppler pdftocairo")
    shutil.copy(out("poppler.svg"), out("poppler-svg.txt"))
    expect("poppler-svg.txt", TXT, "type-not-allowed", "Poppler pdftocairo")
    whole = read("tex.pdf")
    keep("line-break-first.pdf", b"\r\n" + whole, PDF, PDF, "TeX, behind a line break")
    keep("mail-header-first.pdf", b"Content-Type: application/pdf\r\n\r\n" + whole, PDF, PDF, "TeX, behind a header of HTTP")
    keep("mark-first.pdf", b"\xef\xbb\xbf" + whole, OCTETS, PDF, "TeX, behind a mark of UTF-8")
    keep("signature-late.pdf", b" " * 1100 + whole, PDF, "type-does-not-match", "TeX, behind 1,100 spaces")
    keep("page-first.pdf", b"<html><script>alert(1)</script>" + whole, PDF, "type-not-allowed", "TeX, behind a page")
    keep("text-named.pdf", b"This is not a PDF.\n", PDF, "type-does-not-match", "an editor")
    keep("pdf-named.txt", whole, TXT, "type-does-not-match", "TeX, renamed")
    keep("pdf-named.jpg", whole, "image/jpeg", "type-does-not-match", "TeX, renamed")
    with open(attached, "rb") as file:
        archive = file.read()
    keep("archive-behind.pdf", whole + archive, PDF, "type-does-not-match", "TeX, and a zip archive appended")
    fake = b"\n9 0 obj\n<</Length 1>>\nstream\n" + archive + b"\nendstream\nendobj\nstartxref\n9\n%%EOF\n"
    keep("archive-in-false-object.pdf", whole + fake, PDF, "type-does-not-match", "TeX, and a zip archive in an object of no table")


def images(work):
    small = ["-size", "48x32", "plasma:fractal", "-depth", "8"]
    for name, declared, expected, options in [
        ("imagemagick.png", "image/png", "image/png", []),
        ("imagemagick-x.png", "image/x-png", "image/png", ["-interlace", "PNG"]),
        ("imagemagick-palette.png", "", "image/png", ["-colors", "8"]),
        ("imagemagick.jpg", "image/jpeg", "image/jpeg", []),
        ("imagemagick-alias.jpg", "image/jpg", "image/jpeg", ["-interlace", "JPEG"]),
        ("imagemagick.jpeg", "image/pjpeg", "image/jpeg", ["-colorspace", "CMYK"]),
        ("imagemagick-grey.JPG", OCTETS, "image/jpeg", ["-colorspace", "Gray"]),
        ("imagemagick.jfif", "image/jpeg", "image/jpeg", []),
        ("imagemagick.gif", "image/gif", "image/gif", []),
        ("imagemagick.webp", "image/webp", "image/webp", []),
        ("imagemagick-no-type.webp", "", "image/webp", ["-define", "webp:lossless=true"]),
        ("imagemagick.heic", "image/heic", "image/heic", []),
        ("imagemagick.avif", "image/avif", "image/avif", []),
        ("imagemagick.bmp", "image/bmp", "415", []),
        ("imagemagick.tiff", "image/tiff", "415", []),
        ("imagemagick.ico", "image/x-icon", "415", []),
    ]:
        form = "JPEG:" if name.endswith(".jfif") else ""
        run("convert", *small, *options, form + out(name))
        expect(name, declared, expected, "ImageMagick")
    run("convert", "-delay", "10", *small, *small, "-loop", "0", out("imagemagick-animated.gif"))
    expect("imagemagick-animated.gif", "image/gif", "image/gif", "ImageMagick")
    source = os.path.join(work, "photo.png")
    run("convert", *small, source)
    for name, options, declared, expected in [
        ("libheif.heic", [], "", "image/heic"),
        ("libheif.heif", [], "image/heif", "image/heif"),
        ("libheif-capitals.HEIC", ["-q", "20"], OCTETS, "image/heic"),
        ("libheif.avif", ["-A"], "image/avif", "image/avif"),
    ]:
        run("heif-enc", *options, "-o", out(name), source)
        expect(name, declared, expected, "libheif")
    run("cwebp", "-quiet", source, "-o", out("cwebp.webp"))
    expect("cwebp.webp", "image/webp", "image/webp", "cwebp")
    for name, text, declared, expected, more in [
        ("pillow.png", "PNG", "image/png", "image/png", {}),
        ("pillow.jpg", "JPEG", "image/jpeg", "image/jpeg", {"progressive": True, "comment": b"by hand"}),
        ("pillow.gif", "GIF", "image/gif", "image/gif", {}),
        ("pillow.webp", "WEBP", "image/webp", "image/webp", {}),
        ("pillow.pdf", "PDF", PDF, PDF, {}),
        ("pillow", "PNG", "", "image/png", {}),
        ("pillow-as.2024", "JPEG", OCTETS, "image/jpeg", {}),
        ("webp-named.jpg", "WEBP", "image/jpeg", "type-does-not-match", {}),
    ]:
        from PIL import Image

        picture = Image.open(source).convert("RGB")
        picture.save(out(name), text, **more)
        expect(name, declared, expected, "Pillow")
    script = """
      import sharp from 'sharp';
      const [source, folder] = process.argv.slice(1);
      const at = (name) => `${folder}/${name}`;
      await sharp(source).png({ palette: true }).toFile(at('sharp.png'));
      await sharp(source).withExif({ IFD0: { Copyright: 'Ada' } }).jpeg({ mozjpeg: true }).toFile(at('sharp.jpg'));
      await sharp(source).webp({ lossless: true }).toFile(at('sharp.webp'));
      await sharp(source).avif({ quality: 30 }).toFile(at('sharp.avif'));
      await sharp(source).gif().toFile(at('sharp.gif'));
    """
    run("node", "--input-type=module", "-e", script, source, OUT, cwd=ROOT)
    for end, type_ in [("png", "png"), ("jpg", "jpeg"), ("webp", "webp"), ("avif", "avif"), ("gif", "gif")]:
        expect(f"sharp.{end}", f"image/{type_}", f"image/{type_}", "sharp (Node)")


def office(work):
    profile = "-env:UserInstallation=file://" + os.path.join(work, "profile")

    def convert(source, form, name, declared, expected, by="LibreOffice"):
        folder = os.path.join(work, "out")
        run("soffice", profile, "--headless", "--convert-to", form, "--outdir", folder, source)
        [made] = os.listdir(folder)
        shutil.move(os.path.join(folder, made), out(name))
        expect(name, declared, expected, by)

    text = os.path.join(work, "text.odt")
    shutil.copy(out("pandoc.odt"), text)
    for form, name, declared, expected in [
        ("odt", "libreoffice.odt", ODT, ODT),
        ("docx:MS Word 2007 XML", "libreoffice.docx", DOCX, DOCX),
        ("docx:Office Open XML Text", "libreoffice-zip.docx", "application/zip", DOCX),
        ("doc:MS Word 97", "libreoffice.doc", DOC, DOC),
        ("doc:MS Word 97", "libreoffice-no-type.doc", "", DOC),
        ("rtf", "libreoffice.rtf", RTF, RTF),
        ("rtf", "libreoffice-text.rtf", "text/rtf", RTF),
        ("rtf", "libreoffice-word.rtf", "application/msword", RTF),
        ("rtf", "rtf-named.doc", DOC, "type-does-not-match"),
        ("pdf", "libreoffice.pdf", PDF, PDF),
        ("pdf:writer_pdf_Export:{\"IsAddStream\":{\"type\":\"boolean\",\"value\":\"true\"}}", "libreoffice-hybrid.pdf", PDF, PDF),
        ("pdf:writer_pdf_Export:{\"SelectPdfVersion\":{\"type\":\"long\",\"value\":\"2\"}}", "libreoffice-a.pdf", PDF, PDF),
        ("txt:Text (encoded):UTF8", "libreoffice.txt", TXT, TXT),
        ("txt:Text (encoded):UNICODE", "libreoffice-utf16.txt", TXT, TXT),
        ("fodt", "libreoffice.fodt", "application/vnd.oasis.opendocument.text-flat-xml", "415"),
        ("html:HTML (StarWriter)", "libreoffice.html", "text/html", "415"),
        ("ott", "libreoffice.ott", ODF + "text-template", "415"),
    ]:
        convert(text, form, name, declared, expected)
    table = os.path.join(work, "table.csv")
    with open(table, "w") as file:
        file.write("name,years\nÄnne,7\nBo,12\n")
    for form, name, declared, expected in [
        ("ods", "libreoffice.ods", ODS, ODS),
        ("xlsx", "libreoffice.xlsx", XLSX, XLSX),
        ("xlsx", "libreoffice-no-type.xlsx", OCTETS, XLSX),
        ("xls:MS Excel 97", "libreoffice.xls", XLS, XLS),
        ("csv:Text - txt - csv (StarCalc):59,34,76,1", "libreoffice.csv", CSV, CSV),
        ("csv:Text - txt - csv (StarCalc):44,34,12,1", "libreoffice-latin1.csv", "application/vnd.ms-excel", CSV),
        ("csv:Text - txt - csv (StarCalc):9,34,65535,1", "libreoffice-utf16.csv", "", CSV),
        ("pdf", "libreoffice-calc.pdf", PDF, PDF),
    ]:
        convert(table, form, name, declared, expected, "LibreOffice Calc")
    slides = os.path.join(work, "slides.pptx")
    shutil.copy(out("pandoc.pptx"), slides)
    for form, name, declared, expected in [
        ("odp", "libreoffice.odp", ODP, ODP),
        ("pptx", "libreoffice.pptx", PPTX, PPTX),
        ("ppt:MS PowerPoint 97", "libreoffice.ppt", PPT, PPT),
        ("pdf", "libreoffice-impress.pdf", PDF, PDF),
    ]:
        convert(slides, form, name, declared, expected, "LibreOffice Impress")
    document, embedded = read("libreoffice.doc"), read("libreoffice.docx")
    padded = embedded + bytes(-len(embedded) % 512)
    keep("document-embedded.doc", document + padded, DOC, DOC, "LibreOffice, and a document in sectors of its own")
    keep("archive-behind.doc", document + embedded, DOC, "type-does-not-match", "LibreOffice, and an archive appended")
    shutil.copy(out("libreoffice.xls"), out("xls-named.doc"))
    expect("xls-named.doc", DOC, "type-does-not-match", "LibreOffice Calc, renamed")
    shutil.copy(out("libreoffice.odt"), out("odt-named.docx"))
    expect("odt-named.docx", DOCX, "type-does-not-match", "LibreOffice, renamed")


def python_libraries(work):
    import docx
    import openpyxl
    import xlsxwriter
    from reportlab.pdfgen import canvas

    document = docx.Document()
    document.add_heading("Ada Lovelace")
    document.add_paragraph("Engineer")
    document.save(out("python-docx.docx"))
    expect("python-docx.docx", DOCX, DOCX, "python-docx")
    document.save(out("python-docx-word.docx"))
    expect("python-docx-word.docx", "application/msword", DOCX, "python-docx")
    document.add_picture(os.path.join(work, "photo.png"))
    noise = os.path.join(work, "noise.png")
    run("convert", "-size", "200x150", "xc:gray", "+noise", "Random", noise)
    document.add_picture(noise)
    document.save(out("python-docx-picture.docx"))
    expect("python-docx-picture.docx", DOCX, DOCX, "python-docx, with pictures of more than 64 KiB")
    # As LibreOffice and others write it, the member that names the kind comes last.
    with zipfile.ZipFile(out("python-docx-picture.docx")) as archive:
        members = sorted(archive.namelist(), key=lambda name: (name == "[Content_Types].xml", "media" not in name))
        with zipfile.ZipFile(out("content-types-last.docx"), "w", zipfile.ZIP_DEFLATED) as turned:
            for member in members:
                turned.writestr(member, archive.read(member))
    expect("content-types-last.docx", DOCX, DOCX, "python-docx, its members in another order")
    book = openpyxl.Workbook()
    book.active.append(["Ada", 1843])
    book.save(out("openpyxl.xlsx"))
    expect("openpyxl.xlsx", XLSX, XLSX, "openpyxl")
    book.save(out("openpyxl-excel.xlsx"))
    expect("openpyxl-excel.xlsx", "application/vnd.ms-excel", XLSX, "openpyxl")
    with xlsxwriter.Workbook(out("xlsxwriter.xlsx")) as written:
        written.add_worksheet().write(0, 0, "Ada")
    expect("xlsxwriter.xlsx", XLSX, XLSX, "XlsxWriter")
    for name, compression, declared in [("reportlab.pdf", 1, PDF), ("reportlab-plain.pdf", 0, "application/force-download")]:
        page = canvas.Canvas(out(name), pageCompression=compression)
        page.drawString(72, 720, "Ada Lovelace")
        page.save()
        expect(name, declared, PDF, "ReportLab")

    def rewritten(name, by, change, declared=DOCX, expected="type-not-allowed"):
        with zipfile.ZipFile(out("python-docx.docx")) as source, zipfile.ZipFile(out(name), "w", zipfile.ZIP_DEFLATED) as copy:
            for member in source.namelist():
                copy.writestr(member, change(member, source.read(member)))
            if "vba" in name:
                copy.writestr("word/vbaProject.bin", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504))
        expect(name, declared, expected, by)

    main = DOCX.encode() + b".main+xml"
    macros = b"application/vnd.ms-word.document.macroEnabled.main+xml"
    rewritten("vba.docx", "python-docx, and macros", lambda _, data: data)
    rewritten("macro-enabled.docx", "python-docx, with the type of macros", lambda _, data: data.replace(main, macros))
    rewritten("macros.docm", "python-docx, with the type of macros", lambda _, data: data.replace(main, macros), "application/vnd.ms-word.document.macroEnabled.12", "415")
    rewritten("macros-as-text.docm", "python-docx, with the type of macros", lambda _, data: data.replace(main, macros), DOCX, "415")

    with zipfile.ZipFile(out("iwork.pages"), "w") as pages:
        pages.writestr("Index/Document.iwa", bytes(100))
        pages.writestr("Index/Metadata.iwa", bytes(20))
        pages.writestr("preview.jpg", read("pillow.jpg"))
    expect("iwork.pages", "application/vnd.apple.pages", "application/vnd.apple.pages", "Python, in the shape of Pages")
    shutil.copy(out("iwork.pages"), out("iwork-no-type.pages"))
    expect("iwork-no-type.pages", "", "application/vnd.apple.pages", "Python, in the shape of Pages")
    shutil.copy(out("iwork.pages"), out("iwork-zip.pages"))
    expect("iwork-zip.pages", "application/x-iwork-pages-sffpages", "application/vnd.apple.pages", "Python, in the shape of Pages")


def text(_):
    rows = [["name", "town"], ["Änne", "Köln"], ["Bo", "Århus"]]
    lines = io.StringIO()
    csv.writer(lines).writerows(rows)
    made = lines.getvalue()
    for name, data, declared, expected in [
        ("python.csv", made.encode(), CSV, CSV),
        ("python-excel.csv", made.encode("utf-8-sig"), "application/vnd.ms-excel", CSV),
        ("python-no-type.csv", made.encode("cp1252"), "", CSV),
        ("python-plain.csv", made.encode(), TXT, CSV),
        ("python-comma.csv", made.encode(), "text/comma-separated-values", CSV),
        ("excel-unicode.csv", b"\xff\xfe" + made.replace(",", "\t").encode("utf-16-le"), CSV, CSV),
        ("excel-unicode.txt", b"\xff\xfe" + made.replace(",", "\t").encode("utf-16-le"), TXT, TXT),
        ("utf16-be.txt", b"\xfe\xff" + "Grüße, 你好 👍\n".encode("utf-16-be"), TXT, TXT),
        ("utf8.txt", "Grüße, 你好 👍\n".encode(), TXT, TXT),
        ("utf8-mark.txt", "Grüße\n".encode("utf-8-sig"), "", TXT),
        ("latin1.txt", "Grüße\r\n".encode("latin-1"), TXT, TXT),
        ("shift-jis.txt", "履歴書\r\n".encode("shift-jis"), TXT, TXT),
        ("koi8.txt", "Резюме\n".encode("koi8-r"), TXT, TXT),
        ("log.log", "2026-01-01 started\n", "", TXT),
        ("README", "Read me first.\n", "", TXT),
        ("notes", "Notes.\n", TXT, TXT),
        ("notes.v2", "Notes.\n", TXT, TXT),
        ("mentions-pdf.txt", "A PDF begins with %PDF-1.4, a program with MZ.\n", TXT, TXT),
        ("utf16-no-mark.txt", "Notes".encode("utf-16-le"), TXT, "type-does-not-match"),
        ("utf16-odd.txt", b"\xff\xfea\0b", TXT, "type-does-not-match"),
        ("utf16-nul.txt", b"\xff\xfea\0\0\0", TXT, "type-does-not-match"),
        ("utf16-page.txt", b"\xff\xfe" + "<html><script>alert(1)</script>".encode("utf-16-le"), TXT, "type-not-allowed"),
        ("bytes.csv", bytes(range(256)), CSV, "type-does-not-match"),
        ("page.txt", "<!DOCTYPE html>\n<html><body>Hello</body></html>\n", TXT, "type-not-allowed"),
        ("page.csv", "<script>alert(1)</script>", CSV, "type-not-allowed"),
        ("pdf-behind-space.txt", "\r\n%PDF-1.4\n", TXT, "type-does-not-match"),
        ("conflict.pdf", "x", "image/png", "400"),
        ("unknown.xyz", bytes(range(256)), "", "type-not-allowed"),
        ("unknown.bin", bytes(range(256)), OCTETS, "type-not-allowed"),
        ("data.json", "{}", "application/json", "415"),
        ("data.xml", "<?xml version='1.0'?><a/>", "application/xml", "415"),
        ("drawing.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>", "", "415"),
        ("drawing.png", "<svg xmlns='http://www.w3.org/2000/svg'/>", "image/png", "type-not-allowed"),
    ]:
        keep(name, data, declared, expected, "Python" if expected in (CSV, TXT) else "by hand")


def programs(work):
    for name, data in [
        ("cv.bat", "@echo off\r\n"),
        ("cv.cmd", "@echo off\r\n"),
        ("cv.js", "WScript.Echo(1)\n"),
        ("cv.vbs", "MsgBox 1\n"),
        ("cv.ps1", "Write-Host 1\n"),
        ("cv.hta", "<hta:application/>"),
        ("cv.html", "Hello"),
        ("cv.url", "[InternetShortcut]\nURL=file:///\n"),
        ("cv.sh", "echo 1\n"),
        ("cv.reg", "Windows Registry Editor Version 5.00\n"),
        ("cv.pdf.scr", "MZ"),
        ("cv.desktop", "[Desktop Entry]\n"),
        ("cv.py", "print(1)\n"),
    ]:
        keep(name, data, TXT, "415", "by hand")
    source = os.path.join(work, "main.c")
    with open(source, "w") as file:
        file.write("void _start(void) { for (;;); }")
    elf = os.path.join(work, "a.out")
    run("gcc", "-nostdlib", "-static", "-s", "-Wl,-z,noseparate-code", "-o", elf, source)
    with open(elf, "rb") as file:
        linux = file.read()[:2048]
    windows = bytearray(1024)
    windows[0:14] = b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff"
    struct.pack_into("<I", windows, 0x3C, 0x80)
    windows[0x80:0x86] = b"PE\0\0\x64\x86"
    apple = b"\xcf\xfa\xed\xfe" + struct.pack("<7I", 0x01000007, 3, 2, 0, 0, 0, 0) + bytes(480)
    shortcut = b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46" + bytes(56)
    java = b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(64)
    wasm = b"\0asm\x01\0\0\0" + bytes(16)
    for name, data, by in [
        ("elf", linux, "GCC"),
        ("pe", bytes(windows), "Python, in the shape of PE"),
        ("mach-o", apple, "Python, in the shape of Mach-O"),
        ("lnk", shortcut, "Python, in the shape of a shortcut"),
        ("class", java, "Python, in the shape of a class of Java"),
        ("wasm", wasm, "Python, in the shape of WebAssembly"),
        ("shebang", b"#!/bin/sh\nrm -rf /\n", "an editor"),
    ]:
        keep(f"{name}.pdf", data, PDF, "type-not-allowed", by)
        keep(f"{name}.txt", data, TXT, "type-not-allowed", by)
    keep("elf", linux, "", "type-not-allowed", "GCC")
    keep("pe.exe", bytes(windows), "application/x-msdownload", "415", "Python, in the shape of PE")
    keep("pe.doc", bytes(windows), DOC, "type-not-allowed", "Python, in the shape of PE")
    with zipfile.ZipFile(out("java.zip"), "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        jar.writestr("A.class", java)
    expect("java.zip", "application/zip", "type-not-allowed", "Python, in the shape of a jar")


def archives(work):
    folder = os.path.join(work, "portfolio")
    os.mkdir(folder)
    for name in ("tex.pdf", "pillow.jpg", "utf8.txt"):
        shutil.copy(out(name), folder)
    for name, options, declared, expected in [
        ("infozip.zip", ["-r"], "application/zip", "application/zip"),
        ("infozip-stored.zip", ["-0", "-r"], "application/x-zip-compressed", "application/zip"),
        ("infozip-no-type.zip", ["-r", "-X"], "", "application/zip"),
        ("infozip-locked.zip", ["-r", "-P", "secret"], "application/zip", "encrypted"),
    ]:
        run("zip", "-q", *options, out(name), "portfolio", cwd=work)
        expect(name, declared, expected, "Info-ZIP")
    with open(out("infozip-streamed.zip"), "wb") as file:
        subprocess.run(["zip", "-q", "-r", "-", "portfolio"], cwd=work, stdout=file, check=True)
    expect("infozip-streamed.zip", "application/x-zip", "application/zip", "Info-ZIP, into a pipe")
    shutil.make_archive(os.path.join(work, "made"), "zip", folder)
    shutil.move(os.path.join(work, "made.zip"), out("python.zip"))
    expect("python.zip", OCTETS, "application/zip", "Python")
    shutil.make_archive(os.path.join(work, "made"), "gztar", folder)
    shutil.move(os.path.join(work, "made.tar.gz"), out("python.tar.gz"))
    expect("python.tar.gz", "application/gzip", "415", "Python")
    script = """
      import { writeFileSync } from 'node:fs';
      import { BlobWriter, TextReader, ZipWriter } from '@zip.js/zip.js';
      const writer = new ZipWriter(new BlobWriter('application/zip'), { useWebWorkers: false });
      await writer.add('a.txt', new TextReader('text'));
      writeFileSync(process.argv[1], Buffer.from(await (await writer.close()).arrayBuffer()));
    """
    run("node", "--input-type=module", "-e", script, out("zip-js.zip"), cwd=ROOT)
    expect("zip-js.zip", "application/zip", "application/zip", "zip.js (Node)")


def sounds(_):
    tone = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "sine=frequency=440:duration=0.3"]
    film = ["ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", "testsrc=duration=0.2:size=64x48:rate=5"]
    for name, command, declared, expected in [
        ("ffmpeg.mp3", tone, "audio/mpeg", "audio/mpeg"),
        ("ffmpeg-alias.mp3", tone, "audio/mp3", "audio/mpeg"),
        ("ffmpeg.wav", tone, "audio/wav", "audio/wav"),
        ("ffmpeg-x.wav", tone, "audio/x-wav", "audio/wav"),
        ("ffmpeg.ogg", [*tone, "-c:a", "libvorbis"], "audio/ogg", "audio/ogg"),
        ("ffmpeg.opus", [*tone, "-c:a", "libopus"], "audio/ogg", "audio/ogg"),
        ("ffmpeg.m4a", tone, "audio/x-m4a", "audio/mp4"),
        ("ffmpeg.mp4", [*film, "-pix_fmt", "yuv420p"], "video/mp4", "video/mp4"),
        ("ffmpeg.mov", [*film, "-pix_fmt", "yuv420p"], "video/quicktime", "video/quicktime"),
        ("ffmpeg.webm", film, "video/webm", "video/webm"),
        ("ffmpeg-audio.webm", [*tone, "-c:a", "libopus"], "audio/webm", "audio/webm"),
        ("ffmpeg.avi", film, "video/x-msvideo", "415"),
    ]:
        run(*command, out(name))
        expect(name, declared, expected, "FFmpeg")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    with tempfile.TemporaryDirectory() as work:
        for make in (pandoc, tex, pdfs, images, office, python_libraries, text, programs, archives, sounds):
            make(work)
    with open(os.path.join(HERE, "manifest.tsv"), "w") as file:
        file.writelines("\t".join(line) + "\n" for line in sorted(manifest))


main()
