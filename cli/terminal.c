#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "core/mem.h"

/* The alternate screen, no cursor, lines cut at the edge; and back. */
#define ENTER "\033[?1049h\033[?25l\033[?7l\033[H\033[2J"
#define LEAVE "\033[0m\033[?7h\033[?25h\033[?1049l"

enum escape {
	ESCAPE_NONE,
	ESCAPE_BEGUN, /* after ESC */
	ESCAPE_INSIDE /* until a letter or ~ ends it */
};

enum {
	CONTROL_D = 4,
	CONTROL_L = 12,
	PATIENCE_MS = 200, /* for a terminal that takes nothing, at the end */
};

static const int signals_taken[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH };

bool tct_terminal_usable(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && term != NULL &&
	       term[0] != '\0' && strcmp(term, "dumb") != 0;
}

/*
 * O_NONBLOCK on stdin itself would be shared with the shell; a description of our own isn't. Where
 * it can't be opened (no /proc, somebody else's terminal) the one given must do.
 */
static int own_description(int fd, int flags, bool *own)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	int opened = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	*own = opened >= 0;
	return opened >= 0 ? opened : fd;
}

static void find_size(struct tct_terminal *terminal)
{
	struct winsize size;

	terminal->width = 80;
	terminal->height = 24;
	if (ioctl(terminal->out, TIOCGWINSZ, &size) < 0 || size.ws_col == 0 || size.ws_row == 0)
		return;
	terminal->width = size.ws_col < 1000 ? size.ws_col : 1000;
	terminal->height = size.ws_row < 1000 ? size.ws_row : 1000;
}

/* Write all of it, unless the terminal is gone or a signal says to end: one that is stopped must
 * not hold us. */
static void write_all(struct tct_terminal *terminal, const char *bytes, size_t length,
		      int patience_ms)
{
	while (length > 0 && !terminal->lost) {
		ssize_t written = write(terminal->out, bytes, length);

		if (written > 0) {
			bytes += written;
			length -= (size_t)written;
		} else if (written < 0 && errno == EAGAIN) {
			struct pollfd wait[] = { { .fd = terminal->out, .events = POLLOUT },
						 { .fd = terminal->signals, .events = POLLIN } };
			int ready = poll(wait, patience_ms < 0 ? 2 : 1, patience_ms);

			if ((ready == 0 && patience_ms >= 0) || (ready > 0 && wait[0].revents == 0))
				return;
		} else if (written < 0 && errno != EINTR) {
			terminal->lost = true;
		}
	}
}

static void enter(struct tct_terminal *terminal)
{
	struct termios raw = terminal->before;

	/* ISIG stays: ctrl-C and ctrl-Z are signals. ctrl-S must not stop the output. */
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_iflag &= ~(tcflag_t)(IXON | ICRNL);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	if (tcsetattr(terminal->in, TCSANOW, &raw) < 0) {
		terminal->lost = true;
		return;
	}
	terminal->entered = true;
	terminal->escape = ESCAPE_NONE;
	find_size(terminal);
	write_all(terminal, ENTER, strlen(ENTER), -1);
}

static void leave(struct tct_terminal *terminal)
{
	sigset_t stop;

	if (!terminal->entered)
		return;
	terminal->entered = false;
	/* From the background this would stop us: it must not, at the end. */
	(void)sigemptyset(&stop);
	(void)sigaddset(&stop, SIGTTOU);
	(void)sigprocmask(SIG_BLOCK, &stop, NULL);
	write_all(terminal, LEAVE, strlen(LEAVE), PATIENCE_MS);
	(void)tcflush(terminal->in, TCIFLUSH); /* keys meant for us are none for the shell */
	(void)tcsetattr(terminal->in, TCSANOW, &terminal->before);
	if (!sigismember(&terminal->mask_before, SIGTTOU))
		(void)sigprocmask(SIG_UNBLOCK, &stop, NULL);
}

static int take_signals(struct tct_terminal *terminal, struct tct_err *err)
{
	(void)sigemptyset(&terminal->taken);
	for (size_t i = 0; i < TCT_COUNT(signals_taken); i++) {
		struct sigaction action;

		/* nohup and shells without job control mean it */
		if (sigaction(signals_taken[i], NULL, &action) == 0 && action.sa_handler == SIG_IGN)
			continue;
		(void)sigaddset(&terminal->taken, signals_taken[i]);
	}
	if (sigprocmask(SIG_BLOCK, &terminal->taken, &terminal->mask_before) < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, errno, "signals can't be blocked: %s",
				   strerror(errno));
	terminal->masked = true;
	terminal->signals = signalfd(-1, &terminal->taken, SFD_NONBLOCK | SFD_CLOEXEC);
	if (terminal->signals < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, errno, "signals can't be read: %s",
				   strerror(errno));
	return 0;
}

int tct_terminal_open(struct tct_terminal *terminal, struct tct_err *err)
{
	*terminal = (struct tct_terminal){ .in = -1, .out = -1, .signals = -1 };

	int code = take_signals(terminal, err);

	if (code < 0)
		return code;
	terminal->in = own_description(STDIN_FILENO, O_RDONLY, &terminal->own_in);
	terminal->out = own_description(STDOUT_FILENO, O_WRONLY, &terminal->own_out);
	if (tcgetattr(terminal->in, &terminal->before) < 0)
		return tct_err_set(err, TCT_FAULT_REFUSED, errno, "the terminal can't be used: %s",
				   strerror(errno));
	enter(terminal);
	if (terminal->lost)
		return tct_err_set(err, TCT_FAULT_REFUSED, EIO, "the terminal can't be used");
	return 0;
}

void tct_terminal_close(struct tct_terminal *terminal)
{
	leave(terminal);
	if (terminal->own_in)
		(void)close(terminal->in);
	if (terminal->own_out)
		(void)close(terminal->out);
	terminal->own_in = false;
	terminal->own_out = false;
	if (terminal->signals >= 0)
		(void)close(terminal->signals);
	terminal->signals = -1;
	if (terminal->masked)
		(void)sigprocmask(SIG_SETMASK, &terminal->mask_before, NULL);
	terminal->masked = false;
}

/* The next signal that came; 0 = none. */
static int next_signal(const struct tct_terminal *terminal)
{
	struct signalfd_siginfo info;

	if (read(terminal->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return 0;
	return (int)info.ssi_signo;
}

/* Stop as the signal would have, with its own action. */
static void stop_by(int number)
{
	sigset_t one;

	(void)sigemptyset(&one);
	(void)sigaddset(&one, number);
	(void)raise(number);
	(void)sigprocmask(SIG_UNBLOCK, &one, NULL); /* here we stand still */
	(void)sigprocmask(SIG_BLOCK, &one, NULL);
}

/*
 * After a stop: until we are in the foreground again. In the background a shell may go on with us
 * (`bg`), and then the terminal isn't ours; a signal that ends us must still do so.
 */
static void come_back(struct tct_terminal *terminal, bool continued)
{
	for (;; continued = false) {
		int number;

		while ((number = next_signal(terminal)) != 0) {
			if (number == SIGCONT)
				continued = true;
			else if (number != SIGTSTP && number != SIGWINCH)
				terminal->ended_by = number;
		}
		if (terminal->ended_by != 0)
			return;
		if (tcgetpgrp(terminal->in) == getpgrp())
			break;
		if (!continued) { /* nobody stopped us: nobody would continue us */
			terminal->lost = true;
			return;
		}
		(void)raise(SIGTTOU);
	}
	enter(terminal);
}

static enum tct_terminal_event take_signal(struct tct_terminal *terminal, int number)
{
	switch (number) {
	case SIGWINCH:
		find_size(terminal);
		return TCT_TERMINAL_REDRAW;
	case SIGTSTP:
		leave(terminal);
		stop_by(SIGTSTP);
		come_back(terminal, false);
		break;
	case SIGCONT: /* stopped by SIGSTOP: the terminal may have been used since */
		come_back(terminal, true);
		break;
	default:
		terminal->ended_by = number;
		break;
	}
	return terminal->ended_by != 0 || terminal->lost ? TCT_TERMINAL_ENDED : TCT_TERMINAL_REDRAW;
}

static void read_keys(struct tct_terminal *terminal)
{
	ssize_t count = read(terminal->in, terminal->typed, sizeof(terminal->typed));

	if (terminal->escape == ESCAPE_BEGUN) /* nothing followed: the Escape key itself */
		terminal->escape = ESCAPE_NONE;
	terminal->typed_next = 0;
	terminal->typed_count = count > 0 ? (size_t)count : 0;
	if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR))
		terminal->lost = true;
}

/* The next key that was typed; 0 = none. Arrows and their like are no keys of ours. */
static char next_key(struct tct_terminal *terminal)
{
	while (terminal->typed_next < terminal->typed_count) {
		char key = terminal->typed[terminal->typed_next++];

		if (key == '\033') {
			terminal->escape = ESCAPE_BEGUN;
		} else if (terminal->escape == ESCAPE_BEGUN) {
			terminal->escape = key == '[' || key == 'O' ? ESCAPE_INSIDE : ESCAPE_NONE;
		} else if (terminal->escape == ESCAPE_INSIDE) {
			if (key >= '@' && key <= '~')
				terminal->escape = ESCAPE_NONE;
		} else if (key != '\0') {
			return key;
		}
	}
	return 0;
}

static enum tct_terminal_event wait_once(struct tct_terminal *terminal, int64_t left_ns)
{
	struct pollfd wait[] = { { .fd = terminal->in, .events = POLLIN },
				 { .fd = terminal->signals, .events = POLLIN } };
	const struct timespec timeout = {
		.tv_sec = left_ns / INT64_C(1000000000),
		.tv_nsec = left_ns % INT64_C(1000000000),
	};

	if (ppoll(wait, 2, &timeout, NULL) <= 0)
		return TCT_TERMINAL_DEADLINE;
	if (wait[1].revents != 0) {
		int number = next_signal(terminal);

		if (number != 0)
			return take_signal(terminal, number);
	}
	if ((wait[0].revents & POLLIN) != 0)
		read_keys(terminal);
	else if (wait[0].revents != 0)
		terminal->lost = true;
	return TCT_TERMINAL_KEY;
}

enum tct_terminal_event tct_terminal_wait(struct tct_terminal *terminal, int64_t deadline_ns,
					  char *key)
{
	for (;;) {
		int64_t left_ns = deadline_ns - tct_now_ns();

		if (terminal->lost || terminal->done || terminal->ended_by != 0)
			return TCT_TERMINAL_ENDED;
		*key = next_key(terminal);
		if (*key == CONTROL_D) {
			terminal->done = true;
			return TCT_TERMINAL_ENDED;
		}
		if (*key == CONTROL_L)
			return TCT_TERMINAL_REDRAW;
		if (*key != 0)
			return TCT_TERMINAL_KEY;

		enum tct_terminal_event event = wait_once(terminal, left_ns > 0 ? left_ns : 0);

		if (event == TCT_TERMINAL_REDRAW || event == TCT_TERMINAL_ENDED)
			return event;
		if (event == TCT_TERMINAL_DEADLINE && left_ns <= 0)
			return event;
	}
}

void tct_terminal_draw(struct tct_terminal *terminal, const struct tct_text *frame)
{
	TCT_AUTO(tct_text_done) struct tct_text bytes = { 0 };
	const char *line = tct_text_string(frame);

	tct_text_add(&bytes, "\033[H");
	for (;;) {
		size_t length = strcspn(line, "\n");

		tct_text_add_bytes(&bytes, line, length);
		if (line[length] == '\0')
			break;
		tct_text_add(&bytes, "\r\n");
		line += length + 1;
	}
	if (!bytes.failed && !frame->failed && terminal->entered)
		write_all(terminal, bytes.data, bytes.length, -1);
}
