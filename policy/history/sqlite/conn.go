package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net/url"

	driverpkg "modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// conn is one connection to a file. It is used by one goroutine at a time. It is the
// driver's own, without database/sql: there is no pool to be had of one connection, and
// a row costs half.
type conn struct {
	c     driver.Conn
	stmts []driver.Stmt // that are to be closed, or the file stays open
	// recounted: the count of the parties was compared with the parties.
	recounted bool
	// The statements of a file that is known to be a history; nil before.
	find, load, insert, update, move, remove, leave, count, begin, commit, rollback *stmt
}

// Values of "mode" and the like in the URI of a file.
const (
	modeWrite     = "mode=rw" // the file is there: it is never made by SQLite, which gives it to all to read
	modeRead      = "mode=ro"
	modeImmutable = "mode=ro&immutable=1"
)

// connect opens a file. It reads nothing yet but what the driver does.
func connect(ctx context.Context, path, mode string) (*conn, error) {
	connector, err := driverpkg.NewConnector("file://" + (&url.URL{Path: path}).EscapedPath() + "?_error_rc=1&" + mode)
	if err != nil {
		return nil, err
	}
	c, err := connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &conn{c: c}, nil
}

// close closes the connection, and with the last one of a file its side files, if they
// can be written back.
func (c *conn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.c.Close())...)
}

// stmt is a prepared statement.
type stmt struct {
	s interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	}
	args []driver.NamedValue // reused
	row  []driver.Value      // reused
}

// prepare is a statement of the connection, for the caller to close.
func (c *conn) prepare(query string) (*stmt, error) {
	s, err := c.c.Prepare(query)
	if err != nil {
		return nil, err
	}
	both, ok := s.(interface {
		driver.Stmt
		driver.StmtExecContext
		driver.StmtQueryContext
	})
	if !ok {
		return nil, errors.Join(errors.New("the driver's statements know no context"), s.Close())
	}
	return &stmt{s: both}, nil
}

func (s *stmt) named(values []driver.Value) []driver.NamedValue {
	s.args = s.args[:0]
	for i, v := range values {
		s.args = append(s.args, driver.NamedValue{Ordinal: i + 1, Value: v})
	}
	return s.args
}

// exec gives how many rows it changed.
func (s *stmt) exec(ctx context.Context, values ...driver.Value) (changed int64, err error) {
	result, err := s.s.ExecContext(ctx, s.named(values))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// query calls a function with each row, which is only lent.
func (s *stmt) query(ctx context.Context, each func(row []driver.Value), values ...driver.Value) (err error) {
	rows, err := s.s.QueryContext(ctx, s.named(values))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if s.row == nil {
		s.row = make([]driver.Value, len(rows.Columns()))
	}
	for {
		switch err := rows.Next(s.row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		each(s.row)
	}
}

// exec runs statements once.
func (c *conn) exec(ctx context.Context, query string, values ...driver.Value) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	defer s.s.Close()
	_, err = s.exec(ctx, values...)
	return err
}

// values are those of the first row of a query; nil: it has none.
func (c *conn) values(ctx context.Context, query string) (row []driver.Value, err error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	defer s.s.Close()
	err = s.query(ctx, func(r []driver.Value) {
		if row == nil {
			row = append([]driver.Value{}, r...)
		}
	})
	return row, err
}

// code is SQLite's primary result code of an error; 0: it is none of SQLite's.
func code(err error) int {
	var e *driverpkg.Error
	if errors.As(err, &e) {
		return e.Code() & 0xff
	}
	return 0
}

// damaged reports whether an error says that a file is not what SQLite has written.
func damaged(err error) bool {
	var d *damage
	return errors.As(err, &d) || code(err) == lib.SQLITE_CORRUPT || code(err) == lib.SQLITE_NOTADB
}

// passing reports whether an error may be over without the file being opened again: it
// is locked, the disk is full, or the time was too short.
func passing(err error) bool {
	switch code(err) {
	case lib.SQLITE_BUSY, lib.SQLITE_LOCKED, lib.SQLITE_FULL, lib.SQLITE_INTERRUPT:
		return true
	}
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// sqlError is what SQLite says of a statement that fits no table, and of much else.
const sqlError = lib.SQLITE_ERROR

// full reports whether an error says that there is no room.
func full(err error) bool { return code(err) == lib.SQLITE_FULL || code(err) == lib.SQLITE_IOERR }

// damage is a fault of a file that SQLite itself does not see.
type damage struct{ what string }

func (d *damage) Error() string { return d.what }

func damagef(format string, args ...any) error { return &damage{fmt.Sprintf(format, args...)} }
