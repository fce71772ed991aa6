package frame

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"time"

	"almenara/node/wire"
	"almenara/node/wire/why"
)

// mostFields is how many fields a form with a file may have before the file.
const mostFields = 100

// File is the file of a form, read as it arrives: nothing of it is kept in memory or on disk. It is
// used by one goroutine, and only until the page is answered.
type File struct {
	Name string // as the person's computer calls it, without its folder
	part io.Reader
	cut  *http.MaxBytesError
}

// Read reads on.
func (f *File) Read(p []byte) (int, error) {
	n, err := f.part.Read(p)
	errors.As(err, &f.cut)
	return n, err
}

// Or is err, unless the file was cut because the form was larger than its route takes: then it is a
// *wire.Problem that says so, whatever became of what was read.
func (f *File) Or(err error) error {
	if f.cut != nil {
		return tooLarge(f.cut.Limit)
	}
	return err
}

// File is the file of a form whose route takes one; nil where the form came without.
func (q *Request) File() *File { return q.file }

// readForm reads the fields of a form, up to the file where there is one.
func (q *Request) readForm() error {
	most := int64(maxForm)
	if q.Route.Upload > 0 {
		most = q.Route.Upload + maxForm
	}
	q.R.Body = http.MaxBytesReader(q.W, q.R.Body, most)
	err := error(nil)
	if q.Route.Upload > 0 {
		err = q.readFields()
	} else {
		err = q.R.ParseForm()
	}
	var large *http.MaxBytesError
	var p *wire.Problem
	switch {
	case err == nil || errors.As(err, &p):
		return err
	case errors.As(err, &large):
		return tooLarge(large.Limit)
	}
	return wire.Problemf(wire.KindMalformed, "the form cannot be read").Because(why.FormWrong)
}

func tooLarge(most int64) error {
	return wire.Problemf(wire.KindTooLarge, "the form holds more than %d bytes", most).Because(why.FormLarge, most)
}

// readFields reads the fields before the file; what comes behind it is passed over.
func (q *Request) readFields() error {
	parts, err := q.R.MultipartReader()
	if err != nil {
		return err
	}
	form, left := url.Values{}, maxForm
	q.R.PostForm, q.R.Form = form, form // so that nothing reads the file into memory
	for range mostFields {
		part, err := parts.NextPart()
		if err == io.EOF { // one that is wrapped is of a form that was cut
			return nil
		}
		if err != nil {
			return err
		}
		if part.FileName() != "" {
			q.file = &File{Name: part.FileName(), part: part}
			return nil
		}
		if left, err = addField(form, part, left); err != nil {
			return err
		}
	}
	return wire.Problemf(wire.KindMalformed, "the form has more than %d fields", mostFields).Because(why.FormWrong)
}

func addField(form url.Values, part *multipart.Part, left int) (int, error) {
	text, err := io.ReadAll(io.LimitReader(part, int64(left)+1))
	if err != nil {
		return left, err
	}
	if left -= len(text); left < 0 {
		return left, tooLarge(maxForm)
	}
	form.Add(part.FormName(), string(text))
	return left, nil
}

// giveTime lets a request take as long as its route says, where that is longer than the server gives
// every request.
func (q *Request) giveTime() {
	if q.Route.Within <= answerIn {
		return
	}
	control, end := http.NewResponseController(q.W), time.Now().Add(q.Route.Within)
	_ = control.SetReadDeadline(end) // a writer without deadlines, as in tests, has nothing to extend
	_ = control.SetWriteDeadline(end)
}
